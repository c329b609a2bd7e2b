import type { Finding } from '../../provider.ts';
import type { SubnetChoice } from '../model.ts';
import type { AwsObserved } from '../observed.ts';
import type { Current } from './choose-current.ts';
import { findTakenPorts } from './diff-listeners.ts';
import { refuseOwned } from './plan-adoption.ts';

/** Why nothing may be made or changed, with what is there; undefined: it may. */
export function refusePlan(current: Current, observed: AwsObserved): Finding | undefined {
  const [first] = current.model.refusals;
  if (first !== undefined) {
    return { reason: first.reason, message: current.model.refusals.map(({ message }) => message).join(' ') };
  }
  return (
    waitForLeader(current) ??
    refuseAdoption(current, observed) ??
    refuseReplacement(current, observed) ??
    refuseAddresses(current, observed) ??
    refusePorts(current)
  );
}

/** Adopting is up to the one that asks for it. */
function waitForLeader({ loadBalancer, model }: Current): Finding | undefined {
  if (model.adopt === undefined || model.leads || loadBalancer !== undefined) return undefined;
  const message = `Load balancer ${model.adopt.arn} is to be adopted first, by the oldest Service that shares it.`;
  return { reason: 'AdoptionNotConfirmed', message };
}

function refuseAdoption({ loadBalancer, model }: Current, observed: AwsObserved): Finding | undefined {
  const isOurs = observed.loadBalancers.some(({ arn }) => arn === loadBalancer?.arn);
  return loadBalancer === undefined || isOurs ? undefined : refuseOwned(model, loadBalancer);
}

/** What can't be changed needs another load balancer, and that needs another name. */
function refuseReplacement({ loadBalancer, model }: Current, observed: AwsObserved): Finding | undefined {
  const { adopt, loadBalancer: wanted, securityGroup } = model;
  if (loadBalancer === undefined || !wanted.isNamed) return undefined;
  const isOurs = observed.loadBalancers.some(({ arn }) => arn === loadBalancer.arn);
  const wantsGroups = securityGroup !== undefined || wanted.securityGroups.length > 0;
  const differing = [
    ...(loadBalancer.scheme === wanted.scheme
      ? []
      : [`its scheme is ${loadBalancer.scheme}, and ought to be ${wanted.scheme}`]),
    ...(!isOurs && wantsGroups && loadBalancer.securityGroups.length === 0
      ? ['it was made without security groups, and never gets any']
      : []),
  ];
  if (isOurs && differing.length === 0 && loadBalancer.variant !== wanted.variant) {
    differing.push('it was made with security groups or without, and ought to be otherwise');
  }
  if (differing.length === 0) return undefined;
  const what = differing.join('; ');
  if (adopt !== undefined) {
    const message = `Load balancer ${adopt.arn} can't be brought to what is asked for: ${what}. Ask for what it is, or adopt another one.`;
    return { reason: 'AdoptableDiffers', message };
  }
  const message = `Load balancer ${wanted.name} has to be replaced: ${what}. Its name was given, and two can't have it: give another name.`;
  return { reason: 'NameInUse', message };
}

/**
 * An address is one load balancer's: another, made beside the one that serves with it, can't have it
 * (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SubnetMapping.html).
 */
function refuseAddresses(
  { former, loadBalancer, model }: Current,
  { elsewhere = [] }: AwsObserved,
): Finding | undefined {
  if (loadBalancer !== undefined) return undefined;
  const wanted = new Set(addressesOf(model.loadBalancer.subnets));
  const serving = [...former, ...elsewhere.flatMap((each) => each.observed.loadBalancers)];
  for (const { name, subnets } of serving) {
    const used = subnets
      .flatMap(({ addresses, allocationIds = [] }) => [...allocationIds, ...addresses])
      .filter((each) => wanted.has(each));
    if (used.length === 0) continue;
    const message = `Another load balancer would have to be made in the place of ${name}, which serves with ${used.join(', ')}, and AWS gives an address to one of both only: name other addresses, or none, or ask for what ${name} is. To keep these, make the Service anew, and be without it meanwhile.`;
    return { reason: 'AddressesInUse', message };
  }
  return undefined;
}

function addressesOf(choice: SubnetChoice): string[] {
  if (choice.kind === 'tagged')
    return [...choice.elasticIPs, ...choice.privateAddresses, ...choice.ipv6Addresses];
  return choice.mappings.flatMap(({ allocationId, ipv6Address, privateIPv4Address }) =>
    [allocationId, privateIPv4Address, ipv6Address].filter((each) => each !== undefined),
  );
}

function refusePorts({ loadBalancer, model }: Current): Finding | undefined {
  const taken = findTakenPorts(model, loadBalancer);
  if (taken.length === 0) return undefined;
  const message = `Load balancer ${model.loadBalancer.name} has listeners on port ${taken.join(', ')} that aren't of this Service: delete them, or take another port.`;
  return { reason: 'PortTaken', message };
}
