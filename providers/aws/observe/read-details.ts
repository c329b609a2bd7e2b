import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import { isClass } from '../../../kube/errors.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import { ARNS_A_CALL, chunk, elbPages } from '../calls/pages.ts';
import { MANAGED_ATTRIBUTES } from '../managed-attributes.ts';
import type { ObservedListener } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import { type KnownLoadBalancer, type KnownTargetGroup, stillWaits } from './known.ts';
import { mergeTargets, readAttributes, readListener, readTarget } from './read-answers.ts';
import { readTagsOf } from './read-tags.ts';

type WithListeners = Pick<KnownLoadBalancer, 'arn' | 'listeners' | 'listenersOf' | 'tags'>;

/** Listeners by the ARN of their load balancer, one call each, their tags 20 a call; none of one that is gone. */
export async function readListeners(
  calls: AwsCalls,
  loadBalancers: readonly Pick<WithListeners, 'arn' | 'listeners'>[],
  context: CallContext,
): Promise<Map<string, ObservedListener[]>> {
  const listings = loadBalancers.map(async ({ arn, listeners: known }) => ({
    arn,
    known,
    answers: await listListeners(calls, arn, context),
  }));
  return withDetails(calls, await Promise.all(listings), context);
}

/**
 * The same, with those that are known asked for 20 a call: whether they are there still, and as they were. What somebody added
 * to a load balancer of ours isn't ours and isn't looked for; one that was adopted goes or stays by that, and is listed.
 */
export async function verifyListeners(
  calls: AwsCalls,
  loadBalancers: readonly WithListeners[],
  context: CallContext,
): Promise<Map<string, ObservedListener[]>> {
  const known = loadBalancers.filter(isKnownWhole);
  const others = loadBalancers.filter((each) => !isKnownWhole(each));
  const arns = known.flatMap(({ listeners }) => listeners.flatMap(({ arn }) => arn ?? []));
  const parts = chunk(arns, ARNS_A_CALL).map((part) => findListeners(calls, part, context));
  const [listed, ...found] = await Promise.all([readListeners(calls, others, context), ...parts]);
  const answers = found.flat();
  const listings = known.map(({ arn, listeners }) => ({
    arn,
    known: listeners,
    answers: answers.filter(({ LoadBalancerArn }) => LoadBalancerArn === arn),
  }));
  return new Map([...listed, ...(await withDetails(calls, listings, context))]);
}

function isKnownWhole({ listeners, listenersOf, tags }: WithListeners): boolean {
  const isAdopted = tags[OWNER_TAGS.adopted] !== undefined;
  return listenersOf === 'all' && !isAdopted && listeners.every(({ arn }) => arn !== undefined);
}

interface Listing {
  arn: string;
  known: readonly ObservedListener[];
  answers: readonly Listener[];
}

async function withDetails(
  calls: AwsCalls,
  listings: readonly Listing[],
  context: CallContext,
): Promise<Map<string, ObservedListener[]>> {
  const arns = listings.flatMap(({ answers }) => answers.map(({ ListenerArn = '' }) => ListenerArn));
  const tags = await readTagsOf(calls, arns, context);
  const read = listings.map(async ({ answers, arn, known }) => {
    const listeners = answers.map((answer) => readListener(answer, tags.get(answer.ListenerArn ?? '') ?? {}));
    await Promise.all(listeners.map((listener) => readRest(calls, listener, known, context)));
    return [arn, listeners] as const;
  });
  return new Map(await Promise.all(read));
}

async function listListeners(calls: AwsCalls, arn: string, context: CallContext): Promise<Listener[]> {
  try {
    const pages = await elbPages(calls, 'DescribeListeners', { LoadBalancerArn: arn }, context);
    const listeners = pages.flatMap(({ Listeners = [] }) => Listeners);
    return listeners.filter(({ ListenerArn }) => ListenerArn !== undefined);
  } catch (error) {
    if (isClass(error, 'NotFound')) return [];
    throw error;
  }
}

/** One that is gone fails the whole call. */
async function findListeners(calls: AwsCalls, arns: string[], context: CallContext): Promise<Listener[]> {
  try {
    const { Listeners = [] } = await calls.call('DescribeListeners', { ListenerArns: arns }, context);
    return Listeners;
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
    if (arns.length <= 1) return [];
    const half = Math.ceil(arns.length / 2);
    const first = await findListeners(calls, arns.slice(0, half), context);
    return [...first, ...(await findListeners(calls, arns.slice(half), context))];
  }
}

/** What listings don't tell: attributes, which TCP alone has, and certificates beyond the default one. */
async function readRest(
  calls: AwsCalls,
  listener: ObservedListener,
  known: readonly ObservedListener[],
  context: CallContext,
): Promise<void> {
  const { arn, port, protocol } = listener;
  if (arn === undefined) return;
  const before = known.find((each) => each.port === port && each.protocol === protocol);
  const [attributes, certificates] = await Promise.all([
    protocol === 'TCP' ? readListenerAttributes(calls, arn, context) : {},
    protocol === 'TLS' ? readCertificates(calls, arn, context) : [],
  ]);
  listener.attributes = keepOurs(attributes, before?.attributes, 'listener');
  const [first] = listener.certificates;
  if (first !== undefined) listener.certificates = [first, ...certificates.filter((each) => each !== first)];
}

async function readListenerAttributes(calls: AwsCalls, arn: string, context: CallContext) {
  const answer = await calls.call('DescribeListenerAttributes', { ListenerArn: arn }, context);
  return readAttributes(answer.Attributes);
}

/** In no order: sorted, for two readings to be equal. */
async function readCertificates(calls: AwsCalls, arn: string, context: CallContext): Promise<string[]> {
  const pages = await elbPages(calls, 'DescribeListenerCertificates', { ListenerArn: arn }, context);
  const certificates = pages.flatMap(({ Certificates = [] }) => Certificates);
  return certificates.flatMap(({ CertificateArn }) => CertificateArn ?? []).sort();
}

/** The attributes of a load balancer; undefined when it's gone. */
export async function readLoadBalancerAttributes(
  calls: AwsCalls,
  { arn, attributes }: Pick<KnownLoadBalancer, 'arn' | 'attributes'>,
  context: CallContext,
): Promise<Record<string, string> | undefined> {
  const answer = await unlessGone(
    calls.call('DescribeLoadBalancerAttributes', { LoadBalancerArn: arn }, context),
  );
  return answer && keepOurs(readAttributes(answer.Attributes), attributes, 'loadBalancer');
}

/** Attributes and targets; undefined when it's gone. */
export async function readTargetGroupDetails(
  calls: AwsCalls,
  group: Pick<KnownTargetGroup, 'arn' | 'attributes' | 'targets'>,
  context: CallContext,
): Promise<Pick<KnownTargetGroup, 'attributes' | 'targets' | 'waits'> | undefined> {
  const TargetGroupArn = group.arn;
  const [attributes, targets] = await Promise.all([
    unlessGone(calls.call('DescribeTargetGroupAttributes', { TargetGroupArn }, context)),
    readTargets(calls, group, context),
  ]);
  if (attributes === undefined || targets === undefined) return undefined;
  return {
    attributes: keepOurs(readAttributes(attributes.Attributes), group.attributes, 'targetGroup'),
    targets,
    waits: stillWaits(targets),
  };
}

/** Targets with their health; undefined when the group is gone. */
export async function readTargets(
  calls: AwsCalls,
  { arn, targets }: Pick<KnownTargetGroup, 'arn' | 'targets'>,
  context: CallContext,
): Promise<KnownTargetGroup['targets']> {
  const answer = await unlessGone(calls.call('DescribeTargetHealth', { TargetGroupArn: arn }, context));
  if (answer === undefined) return undefined;
  return mergeTargets(targets, (answer.TargetHealthDescriptions ?? []).map(readTarget));
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isClass(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Those that are managed, or that were known before; all, where nothing was known. */
function keepOurs(
  read: Record<string, string>,
  known: Record<string, string> | undefined,
  of: keyof typeof MANAGED_ATTRIBUTES,
): Record<string, string> {
  if (known === undefined) return read;
  const managed = MANAGED_ATTRIBUTES[of];
  return Object.fromEntries(Object.entries(read).filter(([key]) => managed.has(key) || key in known));
}
