import { createHash } from 'node:crypto';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Change, Provider, ProviderStatus, Subject } from '../../providers/provider.ts';
import { takesFromPools } from '../../providers/takes-from-pools.ts';
import { buildDesired } from './build-desired.ts';
import type { ReconcileContext } from './context.ts';

/** What is deleted in steps takes its time at the provider. */
const UNFINISHED_SECONDS = 5;

/** What somebody else changed at the provider. */
export interface Drift {
  /** What it would take to put it back. */
  changes: Change[];
  repaired: boolean;
}

/** What the provider has now, or why it couldn't be brought to that. */
export type Synced =
  | {
      kind: 'synced';
      addressesFromPools: boolean;
      status: ProviderStatus;
      /** Digest of the model, when all of it is carried out. */
      applied: string | undefined;
      drift: Drift | undefined;
    }
  | { kind: 'failed'; failure: unknown };

export interface SyncInput {
  loadBalancer: LoadBalancer;
  provider: LoadBalancerProvider;
  /** Called before anything is made outside of the cluster. */
  beforeExternal: () => Promise<void>;
  signal: AbortSignal;
}

/**
 * Brings what the provider has to what the LoadBalancer says: build, observe, diff, apply. Throws only what
 * `beforeExternal` throws, and whatever comes of `signal`.
 */
export async function syncProvider(context: ReconcileContext, input: SyncInput): Promise<Synced> {
  const { loadBalancer, provider: object, signal } = input;
  const provider = context.providers.get(loadBalancer.spec.provider.type);
  if (provider === undefined) return { kind: 'failed', failure: unknownType(loadBalancer) };
  if (provider.external) await input.beforeExternal();
  try {
    const desired = buildDesired(context, loadBalancer, object);
    const model = provider.build(desired);
    const digest = provider.external ? digestOf(model, loadBalancer) : undefined;
    const before = context.applied.get(loadBalancer);
    const wasWhole = digest !== undefined && before === digest;
    let observed = await provider.observe(desired, wasWhole ? model : undefined, signal);
    const changes = provider.diff(model, observed);
    const found = provider.status(model, observed);
    const isDrift = changes.length > 0 && before !== undefined && before === withOthers(digest, found);
    const addressesFromPools = takesFromPools(provider, object.spec);
    if (isDrift && object.spec.drift?.policy === 'Report') {
      const drift = { changes, repaired: false };
      return { kind: 'synced', addressesFromPools, status: found, applied: before, drift };
    }
    if (changes.length > 0) {
      if (!isDrift) context.applied.forget(loadBalancer);
      await applyAll(context, provider, desired, changes, signal);
      observed = await provider.observe(desired, undefined, signal);
    }
    const left = changes.length === 0 ? [] : provider.diff(model, observed);
    const status = followUp(provider.status(model, observed), left.length > 0);
    const isWhole = left.length === 0 && (status.notProgrammed === undefined || status.onlyWaits === true);
    const applied = isWhole ? withOthers(digest, status) : undefined;
    if (applied !== undefined) context.applied.note(loadBalancer, applied);
    const drift = isDrift ? { changes, repaired: left.length === 0 } : undefined;
    return { kind: 'synced', addressesFromPools, status, applied, drift };
  } catch (failure) {
    if (signal.aborted) throw failure;
    return { kind: 'failed', failure };
  }
}

/** What could only be begun is gone on with, though nothing changes meanwhile. */
function followUp(status: ProviderStatus, isUnfinished: boolean): ProviderStatus {
  if (!isUnfinished || status.againAfterSeconds !== undefined) return status;
  return { ...status, againAfterSeconds: UNFINISHED_SECONDS };
}

/**
 * What is different from what was carried out wholly before; empty where nothing was. `Outdated` where it is wanted otherwise
 * by now: a turn for that is coming, or nothing told that one is needed.
 */
export async function findDrift(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  object: LoadBalancerProvider,
  signal: AbortSignal,
): Promise<Change[] | 'Outdated'> {
  const provider = context.providers.get(loadBalancer.spec.provider.type);
  if (provider === undefined) return [];
  const desired = buildDesired(context, loadBalancer, object);
  const model = provider.build(desired);
  const applied = context.applied.get(loadBalancer);
  const digest = digestOf(model, loadBalancer);
  if (applied === undefined) return [];
  if (!applied.startsWith(digest)) return 'Outdated';
  const observed = await provider.observe(desired, applied === digest ? model : undefined, signal);
  const isDrift = applied === withOthers(digest, provider.status(model, observed));
  return isDrift ? provider.diff(model, observed) : [];
}

async function applyAll(
  context: ReconcileContext,
  provider: Provider,
  subject: Subject,
  changes: readonly Change[],
  signal: AbortSignal,
  mayGoOn: () => Promise<boolean> = async () => true,
): Promise<void> {
  const { name, namespace } = subject.id;
  for (const change of changes) {
    if (!(await mayGoOn())) return;
    context.log.info('ProviderChange', { loadBalancer: name, namespace, change: change.summary });
    await provider.apply(change, subject, signal);
  }
}

/**
 * Takes away what the provider has of a load balancer, and looks again until it has nothing of it. Answers whether it's
 * gone; deletions that take their time are looked at again later. Stops where `mayGoOn`, asked before each change, says so.
 * Throws the provider's classed errors.
 */
export async function removeFromProvider(
  context: ReconcileContext,
  provider: Provider,
  subject: Subject,
  signal: AbortSignal,
  mayGoOn?: () => Promise<boolean>,
): Promise<boolean> {
  const changes = provider.diff(undefined, await provider.observe(subject, undefined, signal));
  await applyAll(context, provider, subject, changes, signal, mayGoOn);
  if (changes.length === 0) return true;
  return provider.diff(undefined, await provider.observe(subject, undefined, signal)).length === 0;
}

/** With the generation: what went and came back was carried out once more in between. */
function digestOf(model: unknown, { metadata }: LoadBalancer): string {
  return `${metadata.generation ?? 0}-${hash(JSON.stringify(model) ?? '')}`;
}

/** As far as others let it be carried out: what can be done once they are out of the way was changed by nobody. */
function withOthers<D extends string | undefined>(digest: D, { waitsForOthers }: ProviderStatus): D | string {
  return digest === undefined || waitsForOthers === undefined ? digest : `${digest}-${hash(waitsForOthers)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export function unknownType({ spec }: LoadBalancer): ClassedError {
  const message = `This version of Fairlead has no provider of type "${spec.provider.type}".`;
  return new ClassedError(message, { class: 'Rejected', reason: 'UnknownProviderType' });
}
