import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import type { Lease } from '../../kube/objects.ts';
import { LEASES, pathOf } from '../../kube/resources.ts';
import { RepeatedWarning } from './repeated-warning.ts';

export interface NodeLeaseOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** The Lease to write now, called right before it is sent; `startedAt` counts for everything that the write proves. */
  compose: (seq: number, startedAt: number) => Lease;
  /** How long after the start of one write the next is due. */
  renewMs: () => number;
  /** One request that hangs must leave time for another. */
  requestTimeoutMs: number;
  onFailure: () => void;
  /** Whether a Lease was written by this process. */
  isOurs: (lease: Lease) => boolean;
  /** Another process writes our Lease: this one stops. */
  onSuperseded: () => void;
  log: Logger;
}

const RETRY_MS = 250;

/**
 * Writes this node's Lease, again and again, one write at a time. Each carries the resourceVersion of the one before: a write
 * that was given up for lost and comes through late can't undo a later one.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #notRenewed: RepeatedWarning;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #seq = 0;
  /** `null`: the Lease isn't there; undefined: we don't know. */
  #resourceVersion: string | null | undefined;
  #uid: string | undefined;
  #wrote = false;
  #poked = false;
  #wake: (() => void) | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
    const events = { event: 'LeaseNotRenewed', eventOver: 'LeaseRenewed' };
    this.#notRenewed = new RepeatedWarning(options.log, events);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There is something new to say: write as soon as the write that runs is through. */
  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  /** No write is on its way any more once this resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
  }

  /** Deletes the Lease: this node is no member any more. After `stop`, and after it answers for nothing. */
  async release(): Promise<void> {
    const { client, namespace, name, requestTimeoutMs } = this.#options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(this.#uid === undefined ? {} : { preconditions: { uid: this.#uid } }),
    };
    try {
      await client.request('DELETE', pathOf(LEASES, namespace, name), { body, timeoutMs: requestTimeoutMs });
    } catch (error) {
      if (!isClass(error, 'NotFound')) this.#options.log.warn('LeaseNotReleased', { error });
    }
  }

  async #run(): Promise<void> {
    let startedAt = 0;
    let failed = false;
    while (!this.#stopping.signal.aborted) {
      startedAt = performance.now();
      this.#poked = false;
      failed = !(await this.#write());
      if (failed && !this.#stopping.signal.aborted) this.#options.onFailure();
      await this.#pause(startedAt + (failed ? RETRY_MS : this.#options.renewMs()), failed);
    }
  }

  /** Until the time, or until poked; after a failure until the time in any case. */
  #pause(until: number, failed: boolean): Promise<void> {
    if (this.#stopping.signal.aborted || (this.#poked && !failed)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, until - performance.now()));
      this.#wake = () => {
        if (!failed || this.#stopping.signal.aborted) done();
      };
    });
  }

  async #write(): Promise<boolean> {
    const { client, namespace, name, requestTimeoutMs } = this.#options;
    const path = pathOf(LEASES, namespace, name);
    const request = { timeoutMs: requestTimeoutMs, signal: this.#stopping.signal };
    try {
      if (this.#resourceVersion === undefined) await this.#look(path);
      const lease = this.#options.compose(++this.#seq, performance.now());
      const written: Lease =
        this.#resourceVersion === null
          ? await client.request('POST', pathOf(LEASES, namespace), { ...request, body: lease })
          : await client.request('PATCH', path, {
              ...request,
              body: { ...lease, metadata: { ...lease.metadata, resourceVersion: this.#resourceVersion } },
              contentType: 'application/merge-patch+json',
            });
      this.#remember(written);
      this.#wrote = true;
      this.#notRenewed.passed();
      return true;
    } catch (error) {
      // After a time-out it may have been written or not; after a conflict it was. Look before the next one.
      this.#resourceVersion = undefined;
      if (!this.#stopping.signal.aborted) this.#notRenewed.failed(error);
      return false;
    }
  }

  async #look(path: string): Promise<void> {
    const { client, requestTimeoutMs, isOurs, onSuperseded } = this.#options;
    try {
      const lease = await client.request<Lease>('GET', path, {
        timeoutMs: requestTimeoutMs,
        signal: this.#stopping.signal,
      });
      this.#remember(lease);
      if (!this.#wrote || isOurs(lease)) return;
      this.#stopping.abort();
      onSuperseded();
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
      this.#resourceVersion = null;
    }
  }

  #remember(lease: Lease): void {
    this.#resourceVersion = lease.metadata.resourceVersion;
    this.#uid = lease.metadata.uid;
  }
}
