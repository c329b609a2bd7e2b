import { ClassedError, isClass } from '../../../kube/errors.ts';
import type { Subject } from '../../provider.ts';
import type { CallContext } from '../calls/call-aws.ts';
import type { ObservedLoadBalancer } from '../observed.ts';
import { stackOf } from '../stack-of.ts';
import type { Inventory } from './inventory.ts';
import type { KnownLoadBalancer } from './known.ts';
import { readLoadBalancer } from './read-answers.ts';
import { readListeners, readLoadBalancerAttributes } from './read-details.ts';
import { readTagsOf } from './read-tags.ts';

/** What was read of a load balancer that isn't ours yet is good for so long. */
const COUNTS_MS = 30_000;

/**
 * The load balancer that is to be taken over, as it is; undefined when none is, or it's ours already. Throws a ClassedError
 * when there is none with that ARN.
 */
export async function observeAdoptable(
  inventory: Inventory,
  subject: Subject,
  context: CallContext,
): Promise<ObservedLoadBalancer | undefined> {
  const arn = subject.spec?.aws?.adopt?.arn;
  if (arn === undefined) return undefined;
  if (inventory.stack(stackOf(subject)).loadBalancers.some((each) => each.arn === arn)) return undefined;
  const known = await readAdoptable(inventory, arn, context);
  const { look: _look, listenersOf: _listenersOf, waits: _waits, ...rest } = known;
  const listeners = known.listeners.map((each) => ({ ...each, key: undefined, member: undefined }));
  return { ...rest, attributes: { ...known.attributes }, listeners };
}

async function readAdoptable(
  inventory: Inventory,
  arn: string,
  context: CallContext,
): Promise<KnownLoadBalancer> {
  const { adoptables, calls } = inventory;
  const read = adoptables.get(arn);
  if (read !== undefined && performance.now() - read.readAt < COUNTS_MS) return read.loadBalancer;
  const answer = await find(inventory, arn, context);
  if (answer === undefined) {
    throw new ClassedError(`There is no load balancer ${arn} to adopt: see to the annotation.`, {
      class: 'Rejected',
      reason: 'AdoptableNotFound',
    });
  }
  if (answer.Type !== undefined && answer.Type !== 'network') {
    throw new ClassedError(`Load balancer ${arn} is no network load balancer, so it can't be adopted.`, {
      class: 'Rejected',
      reason: 'AdoptableOfAnotherType',
    });
  }
  const tags = (await readTagsOf(calls, [arn], context)).get(arn) ?? {};
  const loadBalancer = readLoadBalancer(answer, tags);
  const [listeners, attributes] = await Promise.all([
    readListeners(calls, [loadBalancer], context),
    readLoadBalancerAttributes(calls, loadBalancer, context),
  ]);
  loadBalancer.listeners = listeners.get(arn) ?? [];
  loadBalancer.listenersOf = 'all';
  loadBalancer.attributes = attributes ?? {};
  adoptables.set(arn, { readAt: performance.now(), loadBalancer });
  return loadBalancer;
}

/** A text that is no ARN is an error of validation: it's as unknown as any other. */
async function find(inventory: Inventory, arn: string, context: CallContext) {
  try {
    return await inventory.states.ask(arn, context);
  } catch (error) {
    if (isClass(error, 'Rejected')) return undefined;
    throw error;
  }
}
