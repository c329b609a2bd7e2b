import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/log.ts';
import type { Lease } from '../../kube/objects.ts';
import { LEASES, pathOf } from '../../kube/resources.ts';

export interface LiveLeasesOptions {
  client: KubeClient;
  namespace: string;
  /** The value of the label `fairlead.dev/component` on the Leases. */
  component: string;
  log: Logger;
  /** @default 3000 */
  intervalMs?: number;
  /** Called when a holder came to life or died. */
  onChange: () => void;
}

const DEFAULT_INTERVAL_MS = 3_000;
const DEFAULT_LEASE_SECONDS = 3;

interface Watched {
  holder: string;
  /** What the Lease said; the text is compared, never the clock behind it. */
  renewTime: string | undefined;
  durationMs: number;
  /** `performance.now()` when it said something new. */
  changedAt: number;
  /** It said something new since the first look. */
  isProven: boolean;
}

/**
 * Which holders of Leases are alive. Each is renewed every few seconds, and a watch would bring every one of those writes
 * here; one listing out of the API server's cache each few seconds is all that is needed to say whether anybody is
 * there. Clocks are never compared with ours: a Lease lives as long as its text keeps changing.
 */
export class LiveLeases {
  readonly #options: LiveLeasesOptions;
  readonly #watched = new Map<string, Watched>();
  #live = new Set<string>();
  #hasLooked = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: LiveLeasesOptions) {
    this.#options = options;
  }

  get holders(): ReadonlySet<string> {
    return this.#live;
  }

  isLive(holder: string): boolean {
    return this.#live.has(holder);
  }

  /** Whether it is taken for alive only because it has a Lease: nobody saw it renewed yet. */
  isUnproven(holder: string): boolean {
    return this.#live.has(holder) && this.#of(holder).every(({ isProven }) => !isProven);
  }

  /** How long ago the last Lease of this holder that nobody renews any more said something new; undefined: there is none. */
  expiredSeconds(holder: string): number | undefined {
    if (this.#live.has(holder)) return undefined;
    const own = this.#of(holder);
    const changedAt = Math.max(...own.map((each) => each.changedAt));
    return own.length === 0 ? undefined : (performance.now() - changedAt) / 1000;
  }

  #of(holder: string): Watched[] {
    return [...this.#watched.values()].filter((each) => each.holder === holder);
  }

  /** Looks once, then goes on looking. Who can't be asked yet isn't alive as far as we know. */
  async start(): Promise<void> {
    await this.#look();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#schedule());
    }, this.#options.intervalMs ?? DEFAULT_INTERVAL_MS);
  }

  async #look(): Promise<void> {
    const { client, component, namespace, log } = this.#options;
    try {
      // resourceVersion 0: out of the watch cache, which may lag by some milliseconds.
      const list = await client.request<{ items: Lease[] | null }>('GET', pathOf(LEASES, namespace), {
        query: { labelSelector: `fairlead.dev/component=${component}`, resourceVersion: '0' },
        timeoutMs: 5_000,
      });
      this.#takeIn(list.items ?? []);
    } catch (error) {
      // What was known stays: an API server that is away says nothing about the holders.
      log.debug('LeasesNotListed', { component, error });
    }
  }

  #takeIn(leases: readonly Lease[]): void {
    const now = performance.now();
    const seen = new Set<string>();
    for (const { metadata, spec } of leases) {
      const holder = spec?.holderIdentity;
      if (!holder) continue;
      seen.add(metadata.name);
      const before = this.#watched.get(metadata.name);
      if (before !== undefined && before.renewTime === spec?.renewTime && before.holder === holder) continue;
      const durationMs = (spec?.leaseDurationSeconds ?? DEFAULT_LEASE_SECONDS) * 1000;
      const { renewTime } = spec ?? {};
      const isProven = this.#hasLooked;
      this.#watched.set(metadata.name, { holder, renewTime, durationMs, changedAt: now, isProven });
    }
    this.#hasLooked = true;
    const gone = [...this.#watched.keys()].filter((name) => !seen.has(name));
    for (const name of gone) this.#watched.delete(name);

    const patienceMs = this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
    const live = new Set<string>();
    for (const { holder, changedAt, durationMs } of this.#watched.values()) {
      if (now - changedAt <= durationMs + patienceMs) live.add(holder);
    }
    const changed = !isSame(live, this.#live) || gone.length > 0;
    this.#live = live;
    if (changed) this.#options.onChange();
  }
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each));
}
