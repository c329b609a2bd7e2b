import { isDeepStrictEqual } from 'node:util';
import type { AwsOptions } from '../../../crds/aws-provider.ts';
import type { BuildInput, BuildMember, Refusal } from './build-input.ts';
import { chooseListeners } from './choose-listeners.ts';

/** Options that belong to the whole. */
const OF_THE_WHOLE = [
  'name',
  'subnets',
  'elasticIPs',
  'privateAddresses',
  'ipv6Addresses',
  'ipAddressType',
  'securityGroups',
  'manageSecurityGroup',
  'attributes',
] satisfies (keyof AwsOptions)[];

/** What a younger one asks for that an older one, with which it shares a load balancer, has otherwise. */
export function refuseSharing({ leader, members }: BuildInput, own: BuildMember): Refusal[] {
  if (own.name === leader.name) return [];
  const older = members.slice(0, members.indexOf(own));
  return [...refuseWhole(own, leader), ...refusePorts(own, older)];
}

/** Those that are served: what the others ask for is let in nowhere. */
export function acceptedMembers(input: BuildInput): BuildMember[] {
  return input.members.filter((member) => refuseSharing(input, member).length === 0);
}

function refuseWhole(own: BuildMember, leader: BuildMember): Refusal[] {
  const differing = [
    ...(own.spec.scheme === leader.spec.scheme ? [] : ['scheme']),
    ...OF_THE_WHOLE.filter((key) => !isDeepStrictEqual(own.options[key], leader.options[key])),
  ];
  if (differing.length === 0) return [];
  const message = `It shares a load balancer with ${leader.name}, which has another ${differing.join(', ')}: ask for the same, or for another shared-address.`;
  return [{ reason: 'SharedAddressMismatch', message }];
}

function refusePorts(own: BuildMember, older: readonly BuildMember[]): Refusal[] {
  const taken = new Map<number, string>();
  for (const member of older) {
    for (const { port } of chooseListeners(member).choices)
      if (!taken.has(port)) taken.set(port, member.name);
  }
  return chooseListeners(own).choices.flatMap(({ port }) => {
    const holder = taken.get(port);
    if (holder === undefined) return [];
    const message = `Port ${port} of the shared load balancer is ${holder}'s: take another port, or another shared-address.`;
    return [{ reason: 'PortTaken', message }];
  });
}
