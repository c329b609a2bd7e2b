import { sleep } from './backoff.ts';
import { errorOfFailure } from './classify-error.ts';
import type { KubeClient } from './client.ts';
import { ClassedError, isClass } from './errors.ts';
import { microTime } from './lease-times.ts';
import type { Logger } from './log.ts';
import type { Lease } from './objects.ts';
import { LEASES, pathOf } from './resources.ts';

export interface ElectorOptions {
  /** One without a `beforeWrite` that asks this elector: the Lease must be written before anyone leads. */
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unlike that of any other process that ever ran: a Pod's name and something random. */
  identity: string;
  /** How long others keep away from a Lease that isn't renewed. @default 15000 */
  leaseDurationMs?: number | undefined;
  /** How long the leader leads without a renewal that succeeded; well below the lease duration. @default 10000 */
  renewDeadlineMs?: number | undefined;
  /** @default 2000 */
  retryPeriodMs?: number | undefined;
  log: Logger;
  onStartedLeading: () => void | Promise<void>;
  /** Called once for each time it led. The usual answer is to end the process. */
  onStoppedLeading: (why: string) => void;
}

/**
 * Leader election by a Lease, as client-go's. It compares no clock but its own: a Lease is free when *we* have seen it
 * unchanged for its duration, and we lead until our renew deadline has passed since *before* the last renewal was sent.
 * So as long as renew deadline < lease duration, and clocks run at the same speed, no two lead at once: not when one is
 * paused, and not when one is cut off.
 */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #log: Logger;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #leading = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** Whether the server may think that the Lease is ours, even if its answer never came. */
  #mayHold = false;
  /** The Lease as last seen, and when it was first seen so. */
  #seen: { lease: Lease; record: string; at: number } | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    if (
      !(this.#retryPeriodMs * 1.2 < this.#renewDeadlineMs && this.#renewDeadlineMs < this.#leaseDurationMs)
    ) {
      throw new Error('an elector needs 1.2 * retryPeriodMs < renewDeadlineMs < leaseDurationMs');
    }
    this.#log = options.log.child({
      lease: `${options.namespace}/${options.name}`,
      identity: options.identity,
    });
  }

  /** False from the moment on that the renew deadline passed, even if nothing has run since to notice it. */
  get isLeader(): boolean {
    return this.#leading && performance.now() < this.#renewedAt + this.#renewDeadlineMs;
  }

  start(): void {
    if (this.#stopping.signal.aborted) throw new Error('a stopped elector does not start again');
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Stops leading, then gives the Lease away so that another need not wait for it. Stop the leader's work before. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopLeading('Stopped');
    await this.#running;
    if (this.#mayHold) await this.#release();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#acquireOrRenew(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isClass(error, 'Conflict')) this.#seen = undefined;
        this.#log[this.#leading ? 'warn' : 'info']('LeaseNotWritten', { error });
      }
      await sleep(this.#pauseMs(), signal);
    }
  }

  /** Jitter only prolongs: candidates that started together drift apart. */
  #pauseMs(): number {
    return this.#retryPeriodMs * (1 + 0.2 * Math.random());
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    // The leader knows the Lease that it wrote; anyone else looks each time.
    if (!this.#leading || this.#seen === undefined) await this.#look(signal);
    const seen = this.#seen;
    if (seen === undefined) {
      this.#mayHold = true;
      this.#remember(await this.#create(signal));
    } else {
      if (!this.#isFree(seen)) {
        if (this.#leading) this.#stopLeading(`Lease taken by ${seen.lease.spec?.holderIdentity}`);
        return;
      }
      this.#mayHold = true;
      this.#remember(await this.#write(this.#renewed(seen.lease), signal));
    }
    if (!signal.aborted) this.#lead(startedAt);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, namespace, name } = this.#options;
    try {
      this.#remember(await client.get(LEASES, namespace, name, { signal, timeoutMs: this.#requestMs() }));
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
      this.#seen = undefined;
    }
  }

  /** Ours, nobody's, or seen without a change for as long as its holder claimed it. */
  #isFree(seen: { lease: Lease; at: number }): boolean {
    const holder = seen.lease.spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const claimedMs = (seen.lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    return performance.now() >= seen.at + (claimedMs > 0 ? claimedMs : this.#leaseDurationMs);
  }

  #remember(lease: Lease): void {
    const record = JSON.stringify(lease.spec ?? {});
    const at = this.#seen?.record === record ? this.#seen.at : performance.now();
    this.#seen = { lease, record, at };
  }

  #renewed(lease: Lease): Lease {
    const now = microTime(new Date());
    const isOurs = lease.spec?.holderIdentity === this.#options.identity;
    return {
      ...lease,
      spec: {
        ...lease.spec,
        holderIdentity: this.#options.identity,
        leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
        acquireTime: isOurs ? (lease.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
      },
    };
  }

  #create(signal: AbortSignal): Promise<Lease> {
    const { client, namespace, name, identity } = this.#options;
    const now = microTime(new Date());
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      },
    };
    return client.request('POST', pathOf(LEASES, namespace), {
      body: lease,
      signal,
      timeoutMs: this.#requestMs(),
    });
  }

  /** Carries the resourceVersion that was seen: whoever wrote in between wins, and we get a Conflict. */
  #write(lease: Lease, signal?: AbortSignal): Promise<Lease> {
    const { client, namespace, name } = this.#options;
    const path = pathOf(LEASES, namespace, name);
    return client.request('PUT', path, { body: lease, signal, timeoutMs: this.#requestMs() });
  }

  /** One request that hangs must leave time for another within the renew deadline. */
  #requestMs(): number {
    return Math.max(500, this.#renewDeadlineMs / 2);
  }

  #lead(renewedAt: number): void {
    if (performance.now() >= renewedAt + this.#renewDeadlineMs) return;
    this.#renewedAt = renewedAt;
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = setTimeout(
      () => this.#stopLeading('RenewDeadlinePassed'),
      renewedAt + this.#renewDeadlineMs - performance.now(),
    );
    if (this.#leading) return;
    this.#leading = true;
    this.#log.info('StartedLeading');
    void this.#callStarted();
  }

  async #callStarted(): Promise<void> {
    try {
      await this.#options.onStartedLeading();
    } catch (error) {
      this.#log.error('HandlerFailed', { error: errorOfFailure(error, 'onStartedLeading') });
    }
  }

  #stopLeading(why: string): void {
    clearTimeout(this.#deadlineTimer);
    if (!this.#leading) return;
    this.#leading = false;
    this.#seen = undefined;
    this.#log.warn('StoppedLeading', { why });
    try {
      this.#options.onStoppedLeading(why);
    } catch (error) {
      this.#log.error('HandlerFailed', { error });
    }
  }

  async #release(): Promise<void> {
    try {
      const { client, namespace, name, identity } = this.#options;
      const lease = await client.get(LEASES, namespace, name, { timeoutMs: this.#requestMs() });
      if (lease.spec?.holderIdentity !== identity) return;
      const spec = {
        ...lease.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: microTime(new Date()),
      };
      await this.#write({ ...lease, spec });
      this.#log.info('LeaseReleased');
    } catch (error) {
      this.#log.warn('LeaseNotReleased', { error: error instanceof ClassedError ? error : String(error) });
    }
  }
}
