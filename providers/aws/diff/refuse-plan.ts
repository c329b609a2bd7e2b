import type { Finding } from '../../provider.ts';
import type { AwsObserved } from '../observed.ts';
import type { Current } from './choose-current.ts';
import { findTakenPorts } from './diff-listeners.ts';

/** Why nothing may be made or changed, with what is there; undefined: it may. */
export function refusePlan(current: Current, observed: AwsObserved): Finding | undefined {
  const [first] = current.model.refusals;
  if (first !== undefined) {
    return { reason: first.reason, message: current.model.refusals.map(({ message }) => message).join(' ') };
  }
  return waitForLeader(current) ?? refuseReplacement(current, observed) ?? refusePorts(current);
}

/** Adopting is up to the one that asks for it. */
function waitForLeader({ loadBalancer, model }: Current): Finding | undefined {
  if (model.adopt === undefined || model.leads || loadBalancer !== undefined) return undefined;
  const message = `Load balancer ${model.adopt.arn} is to be adopted first, by the oldest Service that shares it.`;
  return { reason: 'AdoptionNotConfirmed', message };
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

function refusePorts({ loadBalancer, model }: Current): Finding | undefined {
  const taken = findTakenPorts(model, loadBalancer);
  if (taken.length === 0) return undefined;
  const message = `Load balancer ${model.loadBalancer.name} has listeners on port ${taken.join(', ')} that aren't ours: delete them, or take another port.`;
  return { reason: 'PortTaken', message };
}
