import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { isClass } from '../../kube/errors.ts';
import type { LoadBalancerId, Provider } from '../../providers/provider.ts';
import { serviceKeyOf, tenantOf } from './caches.ts';
import type { ReconcileContext } from './context.ts';
import { removeFromProvider } from './sync-provider.ts';

/** What several share goes by `<shared-address>.<provider>:shared`, when none of them has a part in it. */
const SHARED = ':shared';

export interface SweepInput {
  provider: Provider;
  object: LoadBalancerProvider;
  /** Everybody that something there is tagged with. */
  owners: readonly LoadBalancerId[];
  /** The Service's key: what it wants may have been taken away in part. */
  recheck: (key: string) => void;
  signal: AbortSignal;
}

/** Everybody of one name; tags may say several things about whose it is. */
type Namesakes = readonly [LoadBalancerId, ...LoadBalancerId[]];

/**
 * Finds what belongs to nobody any more, and takes it away where the provider's deletion is Delete. Answers what it found.
 * Throws what the API server says, and whatever comes of `signal`.
 */
export async function sweepOrphans(context: ReconcileContext, input: SweepInput): Promise<LoadBalancerId[]> {
  const { name } = input.object.metadata;
  const orphans: Namesakes[] = [];
  for (const owners of groupByName(input.owners)) {
    if (await isOrphan(context, owners, name)) orphans.push(owners);
  }
  for (const each of orphans) if (isDeleting(context, name)) await removeOrphan(context, each, input);
  return orphans.map(([orphan]) => orphan);
}

function groupByName(owners: readonly LoadBalancerId[]): Iterable<Namesakes> {
  const groups = new Map<string, Namesakes>();
  for (const owner of owners) groups.set(keyOf(owner), [owner, ...(groups.get(keyOf(owner)) ?? [])]);
  return groups.values();
}

/** As it says now: a sweep may take minutes. */
function isDeleting({ compiled }: ReconcileContext, provider: string): boolean {
  return compiled.providers.get(provider)?.object.spec.deletion === 'Delete';
}

/**
 * Asks the API server itself, since a cache may lag: what is taken for an orphan may be deleted. By its name alone: tags
 * may have been edited, and what a LoadBalancer of that name stands for is its own turn's matter.
 */
async function isOrphan(context: ReconcileContext, owners: Namesakes, provider: string): Promise<boolean> {
  if (owners.some((each) => isServedAs(context, each, provider))) return false;
  const { caches, client } = context;
  const [id] = owners;
  if (id.name.endsWith(SHARED)) return !(await isShared(context, id, provider));
  if (caches.freshLoadBalancers.get(keyOf(id)) !== undefined) return false;
  try {
    await client.get(LOAD_BALANCERS, id.namespace, id.name);
    return false;
  } catch (error) {
    if (isClass(error, 'NotFound')) return true;
    throw error;
  }
}

/** By the Service's uid: something of one that is served has another's name in its tags. Putting that right is its own turn's. */
function isServedAs(
  { caches }: ReconcileContext,
  { namespace, serviceUid }: LoadBalancerId,
  provider: string,
): boolean {
  if (serviceUid === '') return false;
  return caches.loadBalancers.store
    .byIndex('tenant', tenantOf(provider, namespace))
    .some(({ spec }) => spec.service.uid === serviceUid);
}

/** Whether anybody wants what several share. */
async function isShared(
  { client }: ReconcileContext,
  { name, namespace }: LoadBalancerId,
  provider: string,
): Promise<boolean> {
  const key = name.slice(0, -`.${provider}${SHARED}`.length);
  const { items } = await client.list(LOAD_BALANCERS, { namespace });
  return items.some(({ spec }) => spec.provider.name === provider && spec.sharedAddress === key);
}

/** Judged again before each change: somebody may have made a Service of that name since. */
async function removeOrphan(context: ReconcileContext, owners: Namesakes, input: SweepInput): Promise<void> {
  const { log, caches, applied } = context;
  const { provider, object, signal } = input;
  const [orphan] = owners;
  const { name, namespace } = orphan;
  const subject = { id: orphan, provider: { name: object.metadata.name, spec: object.spec } };
  const isStillOrphan = () => isOrphan(context, owners, object.metadata.name);
  try {
    if (!(await isStillOrphan())) return;
    log.warn('DeletingOrphan', { loadBalancer: name, namespace });
    await removeFromProvider(context, provider, subject, signal, isStillOrphan);
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn('DeletingOrphanFailed', { loadBalancer: name, namespace, error });
  }
  const wanted = caches.freshLoadBalancers.get(keyOf(orphan));
  if (wanted === undefined) return;
  applied.forget(wanted);
  input.recheck(serviceKeyOf(wanted));
}

function keyOf({ name, namespace }: LoadBalancerId): string {
  return `${namespace}/${name}`;
}
