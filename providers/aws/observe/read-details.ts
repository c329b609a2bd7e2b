import { isClass } from '../../../kube/errors.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import { elbPages } from '../calls/pages.ts';
import type { ObservedListener } from '../observed.ts';
import { type KnownLoadBalancer, type KnownTargetGroup, stillWaits } from './known.ts';
import { mergeTargets, readAttributes, readListener, readTarget } from './read-answers.ts';
import { readTagsOf } from './read-tags.ts';

/** Listeners by the ARN of their load balancer, one call each, their tags 20 a call; none of one that is gone. */
export async function readListeners(
  calls: AwsCalls,
  loadBalancers: readonly Pick<KnownLoadBalancer, 'arn' | 'listeners'>[],
  context: CallContext,
): Promise<Map<string, ObservedListener[]>> {
  const listings = await Promise.all(
    loadBalancers.map(async ({ arn, listeners }) => ({
      arn,
      known: listeners,
      answers: (await listListeners(calls, arn, context)).filter(
        ({ ListenerArn }) => ListenerArn !== undefined,
      ),
    })),
  );
  const arns = listings.flatMap(({ answers }) => answers.map(({ ListenerArn = '' }) => ListenerArn));
  const tags = await readTagsOf(calls, arns, context);
  const read = new Map<string, ObservedListener[]>();
  for (const { arn, known, answers } of listings) {
    const listeners = answers.map((answer) => readListener(answer, tags.get(answer.ListenerArn ?? '') ?? {}));
    await Promise.all(listeners.map((listener) => readRest(calls, listener, known, context)));
    read.set(arn, listeners);
  }
  return read;
}

async function listListeners(calls: AwsCalls, arn: string, context: CallContext) {
  try {
    const pages = await elbPages(calls, 'DescribeListeners', { LoadBalancerArn: arn }, context);
    return pages.flatMap(({ Listeners = [] }) => Listeners);
  } catch (error) {
    if (isClass(error, 'NotFound')) return [];
    throw error;
  }
}

/** What listings don't tell: attributes, where any are ours, and certificates beyond the default one. */
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
    hasNone(before?.attributes) ? {} : readListenerAttributes(calls, arn, context),
    protocol === 'TLS' ? readCertificates(calls, arn, context) : [],
  ]);
  listener.attributes = keepKnown(attributes, before?.attributes);
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
  if (hasNone(attributes)) return {};
  const answer = await unlessGone(
    calls.call('DescribeLoadBalancerAttributes', { LoadBalancerArn: arn }, context),
  );
  return answer && keepKnown(readAttributes(answer.Attributes), attributes);
}

/** Attributes and targets; undefined when it's gone. */
export async function readTargetGroupDetails(
  calls: AwsCalls,
  group: Pick<KnownTargetGroup, 'arn' | 'attributes' | 'targets'>,
  context: CallContext,
): Promise<Pick<KnownTargetGroup, 'attributes' | 'targets' | 'waits'> | undefined> {
  const TargetGroupArn = group.arn;
  const [attributes, targets] = await Promise.all([
    hasNone(group.attributes)
      ? { Attributes: [] }
      : unlessGone(calls.call('DescribeTargetGroupAttributes', { TargetGroupArn }, context)),
    readTargets(calls, group, context),
  ]);
  if (attributes === undefined || targets === undefined) return undefined;
  return {
    attributes: keepKnown(readAttributes(attributes.Attributes), group.attributes),
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

/** Nobody ever set one: there's nothing of ours that could have changed. */
function hasNone(attributes: Record<string, string> | undefined): boolean {
  return attributes !== undefined && Object.keys(attributes).length === 0;
}

/** Only those that were known before, since the others aren't ours; all, where nothing was known. */
function keepKnown(
  read: Record<string, string>,
  known: Record<string, string> | undefined,
): Record<string, string> {
  if (known === undefined) return read;
  return Object.fromEntries(Object.entries(read).filter(([key]) => key in known));
}
