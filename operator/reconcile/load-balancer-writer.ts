import { isDeepStrictEqual } from 'node:util';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { isClass } from '../../kube/errors.ts';
import { stripObject } from '../../kube/strip-object.ts';
import { FIELD_MANAGER } from '../plan/names.ts';
import type { ReconcileContext } from './context.ts';

/**
 * Writes LoadBalancers, and keeps the claims' reservations until the API server said what became of a write. The kind is
 * ours alone, so an update replaces the whole spec; made on a version that is too old, it is a Conflict.
 */
export class LoadBalancerWriter {
  readonly #context: ReconcileContext;
  /** Keys whose last write got no answer. */
  readonly #unanswered = new Set<string>();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** After a write without an answer: asks what there is. Where there is nothing, the same owner writes again. */
  async readBack(key: string): Promise<void> {
    if (this.#unanswered.has(key)) await this.isThere(key);
  }

  /** Asks the API server; what is there is taken in. */
  async isThere(key: string): Promise<boolean> {
    const { client, caches, claims } = this.#context;
    const [namespace, name] = split(key);
    const found = await client.get(LOAD_BALANCERS, namespace, name).catch((error: unknown) => {
      if (!isClass(error, 'NotFound')) throw error;
      return undefined;
    });
    this.#unanswered.delete(key);
    if (found === undefined) return false;
    caches.freshLoadBalancers.note(stripObject(found));
    claims.settleAddresses(key);
    return true;
  }

  /** Answers the LoadBalancer as the API server has it now: `existing` itself when nothing was to be written. */
  async write(key: string, desired: LoadBalancer, existing: LoadBalancer | undefined): Promise<LoadBalancer> {
    const { caches, claims } = this.#context;
    if (existing !== undefined && isAsDesired(existing, desired)) {
      claims.settleAddresses(key);
      return existing;
    }
    try {
      const written = stripObject(await this.#context.onPath(() => this.#send(desired, existing)));
      caches.freshLoadBalancers.note(written);
      claims.settleAddresses(key);
      return written;
    } catch (error) {
      const surelyNotDone =
        isClass(error, 'Rejected', 'NotFound') || (isClass(error, 'Conflict') && existing !== undefined);
      if (surelyNotDone) claims.settleAddresses(key);
      else this.#unanswered.add(key);
      throw error;
    }
  }

  async #send(desired: LoadBalancer, existing: LoadBalancer | undefined): Promise<LoadBalancer> {
    const { client } = this.#context;
    if (existing === undefined) return await client.create(LOAD_BALANCERS, desired);
    const { namespace, name, resourceVersion, labels } = existing.metadata;
    const patch = [
      { op: 'add', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'add', path: '/metadata/labels', value: { ...labels, ...desired.metadata.labels } },
      { op: 'add', path: '/metadata/ownerReferences', value: desired.metadata.ownerReferences ?? [] },
      { op: 'replace', path: '/spec', value: desired.spec },
    ];
    return await client.patch(LOAD_BALANCERS, namespace, name, patch, {
      contentType: 'json',
      fieldManager: FIELD_MANAGER,
    });
  }
}

function isAsDesired(existing: LoadBalancer, desired: LoadBalancer): boolean {
  const labels = Object.entries(desired.metadata.labels ?? {});
  return (
    labels.every(([key, value]) => existing.metadata.labels?.[key] === value) &&
    isDeepStrictEqual(existing.metadata.ownerReferences, desired.metadata.ownerReferences) &&
    isDeepStrictEqual(existing.spec, desired.spec)
  );
}

function split(key: string): [string, string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
