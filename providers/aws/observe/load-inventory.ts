import type { LoadBalancer, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsCaller, CallContext } from '../calls/call-aws.ts';
import { ec2Pages, elbPages } from '../calls/pages.ts';
import type { ObservedSecurityGroup } from '../observed.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../tags.ts';
import { emptyStack, type KnownStack } from './known.ts';
import { readLoadBalancer, readSecurityGroup, readTargetGroup } from './read-answers.ts';
import { readTagsOf } from './read-tags.ts';

/** What a cluster has in an account and region: whose it is, and what a listing tells of it. */
export interface Loaded {
  stacks: Map<string, KnownStack>;
  /** The groups that let load balancers reach nodes, one a VPC. */
  sharedGroups: ObservedSecurityGroup[];
  /** ARNs of everything that isn't ours. */
  foreign: Set<string>;
}

export interface LoadOptions {
  calls: AwsCaller;
  clusterId: string;
  /** Known not to be ours: their tags aren't asked for again. */
  foreign: ReadonlySet<string>;
  /** Told an ARN, for the account in it. */
  onArn(arn: string): void;
}

/** Listings of the whole account, tags of 20 a call, security groups by tag: some two calls for each 20 load balancers. */
export async function loadInventory(options: LoadOptions, context: CallContext): Promise<Loaded> {
  const { calls, clusterId } = options;
  const [loadBalancers, targetGroups, groups] = await Promise.all([
    listLoadBalancers(calls, context),
    listTargetGroups(calls, context),
    listSecurityGroups(calls, clusterId, context),
  ]);
  const arns = [
    ...loadBalancers.map(({ LoadBalancerArn }) => LoadBalancerArn ?? ''),
    ...targetGroups.map(({ TargetGroupArn }) => TargetGroupArn ?? ''),
  ].filter((arn) => arn !== '');
  if (arns[0] !== undefined) options.onArn(arns[0]);
  const unknown = arns.filter((arn) => !options.foreign.has(arn));
  const tags = await readTagsOf(calls, unknown, context);

  const loaded: Loaded = { stacks: new Map(), sharedGroups: [], foreign: new Set() };
  const ours = (arn: string | undefined) => {
    const each = arn === undefined ? undefined : tags.get(arn);
    if (each !== undefined && isOurs(each, clusterId)) return each;
    if (arn !== undefined && (each !== undefined || options.foreign.has(arn))) loaded.foreign.add(arn);
    return undefined;
  };
  for (const answer of loadBalancers) {
    const own = ours(answer.LoadBalancerArn);
    if (own !== undefined) stackOf(loaded, own).loadBalancers.push(readLoadBalancer(answer, own));
  }
  for (const answer of targetGroups) {
    const own = ours(answer.TargetGroupArn);
    if (own !== undefined) stackOf(loaded, own).targetGroups.push(readTargetGroup(answer, own));
  }
  for (const group of groups) {
    if (!isOurs(group.tags, clusterId)) continue;
    if (group.tags[OWNER_TAGS.resource] === SHARED_GROUP) loaded.sharedGroups.push(group);
    else stackOf(loaded, group.tags).securityGroup = group;
  }
  return loaded;
}

/** Known by tags alone: what lacks one of these is somebody else's. */
export function isOurs(tags: Readonly<Record<string, string>>, clusterId: string): boolean {
  return tags[OWNER_TAGS.cluster] === clusterId && tags[OWNER_TAGS.stack] !== undefined;
}

async function listLoadBalancers(calls: AwsCaller, context: CallContext): Promise<LoadBalancer[]> {
  const pages = await elbPages(calls, 'DescribeLoadBalancers', {}, context);
  return pages.flatMap(({ LoadBalancers = [] }) => LoadBalancers).filter(({ Type }) => Type === 'network');
}

/** Of a load balancer with an HTTP listener none is ours: those protocols aren't asked about. */
async function listTargetGroups(calls: AwsCaller, context: CallContext): Promise<TargetGroup[]> {
  const pages = await elbPages(calls, 'DescribeTargetGroups', {}, context);
  const protocols = new Set<string | undefined>(['TCP', 'UDP', 'TCP_UDP', 'TLS']);
  return pages
    .flatMap(({ TargetGroups = [] }) => TargetGroups)
    .filter(({ Protocol }) => protocols.has(Protocol));
}

async function listSecurityGroups(
  calls: AwsCaller,
  clusterId: string,
  context: CallContext,
): Promise<ObservedSecurityGroup[]> {
  const Filters = [{ Name: `tag:${OWNER_TAGS.cluster}`, Values: [clusterId] }];
  const pages = await ec2Pages(calls, 'DescribeSecurityGroups', { Filters }, context);
  return pages.flatMap(({ SecurityGroups = [] }) => SecurityGroups).map(readSecurityGroup);
}

function stackOf({ stacks }: Loaded, tags: Readonly<Record<string, string>>): KnownStack {
  const name = tags[OWNER_TAGS.stack] ?? '';
  const stack = stacks.get(name) ?? emptyStack(name);
  stacks.set(name, stack);
  return stack;
}
