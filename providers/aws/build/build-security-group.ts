import { isIPv6 } from 'node:net';
import type { AwsOptions } from '../../../crds/aws-provider.ts';
import { mergePorts } from '../apply/merge-ports.ts';
import type {
  LoadBalancerModel,
  SecurityGroupModel,
  SecurityGroupPorts,
  SecurityGroupRule,
} from '../model.ts';
import { buildBackendPorts } from './build-backend-ports.ts';
import type { BuildInput, BuildMember, Refusal } from './build-input.ts';
import { managesSecurityGroup, needsSecurityGroup } from './build-load-balancer.ts';
import { buildStackTags } from './build-tags.ts';
import { chooseListeners, protocolsOf } from './choose-listeners.ts';
import { nameResource } from './name-resources.ts';
import { canonicalCidr } from './read-cidr.ts';
import { acceptedMembers } from './refuse-sharing.ts';

/**
 * What path MTU discovery needs: routers on the way, whose addresses nobody knows, tell the load balancer that a packet is too
 * big (ICMP type 3 code 4, ICMPv6 type 2 code 0).
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
 */
const TOO_BIG = [
  { protocol: 'icmp', fromPort: 3, toPort: 4, cidr: '0.0.0.0/0' },
  { protocol: 'icmpv6', fromPort: 2, toPort: 0, cidr: '::/0' },
] as const;

const EVERYBODY = { ipv4: ['0.0.0.0/0'], dualstack: ['0.0.0.0/0', '::/0'] };
/** Inbound rules of a group, of each family: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const MOST_RULES = 60;

/** The group that lets clients in, and what nodes have to let in from it; of all that share the load balancer. */
export function buildSecurityGroup(
  input: BuildInput,
  loadBalancer: LoadBalancerModel,
): { model: SecurityGroupModel | undefined; refusals: Refusal[] } {
  const { desired, leader, stack } = input;
  const { options } = leader;
  if (!needsSecurityGroup(options)) return { model: undefined, refusals: [] };
  const description = `Clients of ${stack.slice(0, 200)}`.replace(
    /[^a-zA-Z0-9 ._:/()#,@[\]+=&;{}!$*-]/g,
    ' ',
  );
  const rules = managesSecurityGroup(options) ? letIn(input, EVERYBODY[loadBalancer.ipAddressType]) : [];
  const ingress = rules.map((rule): SecurityGroupRule => ({ ...rule, description }));
  const withBackend = options.manageBackendRules ?? true;
  const model: SecurityGroupModel = {
    name: nameResource(stack, [desired.id.clusterId, stack, 'SecurityGroup', identityOf(input)]),
    description,
    ingress,
    tags: buildStackTags(input, 'SecurityGroup'),
    backend: withBackend ? { ports: buildBackendPorts(input) } : undefined,
    ...findAsked(options),
  };
  return { model, refusals: [...refuseRanges(input.own), ...refuseCount(ingress)] };
}

function findAsked({
  manageBackendRules,
  manageSecurityGroup,
}: AwsOptions): Pick<SecurityGroupModel, 'asked'> {
  const clients = manageSecurityGroup === true ? (['clients'] as const) : [];
  const nodes = manageBackendRules === true ? (['nodes'] as const) : [];
  const asked = [...clients, ...nodes];
  return asked.length === 0 ? {} : { asked };
}

/** Clients at the ports of all members; and, from everybody, what path MTU discovery needs in these families. */
function letIn(input: BuildInput, everybody: readonly string[]): Omit<SecurityGroupRule, 'description'>[] {
  const ports = portsByCidr(acceptedMembers(input), everybody);
  return [
    ...[...ports].flatMap(([cidr, list]) =>
      mergePorts(list, Number.POSITIVE_INFINITY).map((range) => ({ ...range, cidr })),
    ),
    ...TOO_BIG.filter(({ cidr }) => everybody.includes(cidr)),
  ];
}

/** A Service made anew under its name gets a group of its own; those that share have one as long as anybody does. */
function identityOf({ desired, leader }: BuildInput): string {
  return desired.sharedAddress === undefined ? leader.id.serviceUid : '';
}

function portsByCidr(
  members: readonly BuildMember[],
  everybody: readonly string[],
): Map<string, SecurityGroupPorts[]> {
  const byCidr = new Map<string, SecurityGroupPorts[]>();
  for (const member of members) {
    const ports = chooseListeners(member).choices.flatMap(({ port, protocol }) =>
      protocolsOf(protocol).map((each) => ({ protocol: each, fromPort: port, toPort: port })),
    );
    for (const range of member.spec.sourceRanges ?? everybody) {
      const cidr = canonicalCidr(range);
      if (cidr !== undefined) byCidr.set(cidr, [...(byCidr.get(cidr) ?? []), ...ports]);
    }
  }
  return byCidr;
}

function refuseRanges({ spec: { sourceRanges = [] } }: BuildMember): Refusal[] {
  const bad = sourceRanges.filter((range) => canonicalCidr(range) === undefined);
  if (bad.length === 0) return [];
  const message = `"${bad.join('", "')}" in loadBalancerSourceRanges is no CIDR: correct it.`;
  return [{ reason: 'InvalidSourceRange', message }];
}

function refuseCount(ingress: readonly SecurityGroupRule[]): Refusal[] {
  const v6 = ingress.filter(({ cidr }) => isIPv6(cidr.split('/')[0] ?? '')).length;
  const count = Math.max(v6, ingress.length - v6);
  if (count <= MOST_RULES) return [];
  const message = `Ports times source ranges make ${count} rules, and a security group has ${MOST_RULES}: merge loadBalancerSourceRanges, or name security groups of your own (securityGroups).`;
  return [{ reason: 'TooManyRules', message }];
}
