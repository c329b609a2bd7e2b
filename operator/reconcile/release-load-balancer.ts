import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { ReconcileResult } from '../../kube/workqueue.ts';
import type { Finding } from '../../providers/provider.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { describeFailure } from '../status/describe-refusal.ts';
import { EVENTS, REASONS } from '../status/reasons.ts';
import { buildSubject } from './build-desired.ts';
import type { ReconcileContext } from './context.ts';
import { removeFromProvider, unknownType } from './sync-provider.ts';

/** A load balancer that the provider still has. */
export interface Unreleased {
  finding: Finding;
  /** What the provider said; absent: it takes its time. */
  failure?: unknown;
}

const STILL_THERE = { kind: 'retryAfter', seconds: 5, reason: 'ProviderDeleting' } as const;

/** Takes load balancers away: first at the provider, until it has nothing left of them, then the objects with their claims. */
export class LoadBalancerReleaser {
  readonly #context: ReconcileContext;
  /** By key of the LoadBalancer: what was found when it was last tried. */
  readonly #unreleased = new Map<string, Unreleased>();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** Answers undefined once it's gone, save for finalizers of others. Throws what the API server says. */
  async release(
    loadBalancer: LoadBalancer,
    service: Service | undefined,
    signal: AbortSignal,
  ): Promise<Unreleased | undefined> {
    const { client, claims, tellEvents } = this.#context;
    const { name, namespace, uid } = loadBalancer.metadata;
    const key = keyOf(loadBalancer);
    const tell = (reason: string, note: string) => {
      if (service !== undefined) tellEvents(service, [{ type: 'Normal', reason, note }]);
    };
    const isFirstTry = !isBeingDeleted(loadBalancer) && !this.#unreleased.has(key);
    const isRetained = this.#isRetained(loadBalancer);
    if (isFirstTry && !isRetained) tell(EVENTS.deleting, `Deleting load balancer ${name}`);
    const left = isRetained ? undefined : await this.#removeFromProvider(loadBalancer, signal);
    if (left !== undefined) {
      this.#unreleased.set(key, left);
      return left;
    }
    this.#unreleased.delete(key);
    claims.letGo(key);
    this.#context.applied.drop(key);
    if (!isBeingDeleted(loadBalancer)) {
      await client.delete(LOAD_BALANCERS, namespace, name, uid === undefined ? {} : { uid });
      if (isRetained) tell(EVENTS.retained, describeRetained(loadBalancer));
      else tell(EVENTS.deleted, `Deleted load balancer ${name}`);
    }
    return undefined;
  }

  #isRetained({ spec: { provider } }: LoadBalancer): boolean {
    const { compiled, providers } = this.#context;
    const isExternal = providers.get(provider.type)?.external === true;
    return isExternal && compiled.providers.get(provider.name)?.object.spec.deletion === 'Retain';
  }

  /** What was found when these were last tried. */
  findingsOf(loadBalancers: readonly LoadBalancer[]): Finding[] {
    return loadBalancers.flatMap((each) => this.#unreleased.get(keyOf(each))?.finding ?? []);
  }

  async #removeFromProvider(
    loadBalancer: LoadBalancer,
    signal: AbortSignal,
  ): Promise<Unreleased | undefined> {
    const { name } = loadBalancer.metadata;
    const provider = loadBalancer.spec.provider.name;
    try {
      if (await this.#remove(loadBalancer, signal)) return undefined;
      const message = `Load balancer ${name} is being deleted at provider "${provider}".`;
      return { finding: { reason: REASONS.deleting, message } };
    } catch (failure) {
      if (signal.aborted) throw failure;
      const message = `Load balancer ${name} can't be deleted at provider "${provider}", which is tried again: ${describeFailure(failure)}`;
      return { finding: { reason: REASONS.syncFailed, message }, failure };
    }
  }

  async #remove(loadBalancer: LoadBalancer, signal: AbortSignal): Promise<boolean> {
    const { name, type } = loadBalancer.spec.provider;
    const provider = this.#context.providers.get(type);
    if (provider === undefined) throw unknownType(loadBalancer);
    if (!provider.external) return true;
    const object = this.#context.compiled.providers.get(name)?.object;
    if (object === undefined) throw unknownProvider(name);
    this.#context.applied.forget(loadBalancer);
    const subject = buildSubject(this.#context, loadBalancer, object);
    return await removeFromProvider(this.#context, provider, subject, signal);
  }
}

/** With what it takes to find it at the provider: nothing of ours names it any more. */
function describeRetained({ metadata: { name }, spec, status }: LoadBalancer): string {
  const at = (status?.ingress ?? []).flatMap(({ hostname, ip }) => hostname ?? ip ?? [])[0];
  const ids = [status?.providerID, at].filter((each) => each !== undefined).join(', ');
  return `Load balancer ${name} stays at provider "${spec.provider.name}" as it is (spec.deletion: Retain)${ids === '' ? '' : `: ${ids}`}`;
}

/** Without its configuration nobody knows where to go, and with which credentials. */
function unknownProvider(name: string): ClassedError {
  const message = `There is no LoadBalancerProvider "${name}" any more: create it again, so that what it made can be taken away.`;
  return new ClassedError(message, { class: 'Rejected', reason: REASONS.providerNotFound });
}

/**
 * When to look again at what is left: a deletion isn't given up, whatever the provider says, and waits for nothing else that is
 * due later. `next` is what the rest of the turn came to.
 */
export function lookAgain(
  unreleased: readonly Unreleased[],
  next: ReconcileResult = { kind: 'done' },
): ReconcileResult {
  if (unreleased.length === 0 || next.kind === 'failed') return next;
  if (next.kind === 'retryAfter') return { ...next, seconds: Math.min(next.seconds, STILL_THERE.seconds) };
  const failed = unreleased.find(({ failure }) => failure !== undefined);
  return failed === undefined ? STILL_THERE : { kind: 'failed', error: failed.failure, terminal: false };
}
