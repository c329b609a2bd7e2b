import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/log.ts';
import type { LabelSelector, Lease, Node } from '../../kube/objects.ts';
import { LEASES, pathOf } from '../../kube/resources.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { Store } from '../../kube/store.ts';
import type { LiveAgents } from '../../providers/announce/live-agents.ts';

export interface AgentsOptions {
  client: KubeClient;
  /** Namespace of the agents' Leases. */
  namespace: string;
  nodes: Pick<Store<Node>, 'get'>;
  log: Logger;
  /** @default 3000 */
  intervalMs?: number;
  /** Called when an agent came to life or died. */
  onChange: () => void;
}

const SELECTOR = 'fairlead.dev/component=agent';
const DEFAULT_INTERVAL_MS = 3_000;

interface Watched {
  node: string;
  /** What the Lease said; the text is compared, never the clock behind it. */
  renewTime: string | undefined;
  durationMs: number;
  /** `performance.now()` when it said something new. */
  changedAt: number;
}

/**
 * Which nodes have a live agent, by their Leases. An agent renews each second, and a watch would bring every one of those
 * writes here; one listing out of the API server's cache each few seconds is all that is needed to say whether anybody
 * is there. Clocks of nodes are never compared with ours: a Lease lives as long as its text keeps changing.
 */
export class Agents implements LiveAgents {
  readonly #options: AgentsOptions;
  readonly #watched = new Map<string, Watched>();
  #live = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  count(selector: LabelSelector | undefined): number {
    if (selector === undefined) return this.#live.size;
    let count = 0;
    for (const node of this.#live) {
      if (matchesSelector(selector, this.#options.nodes.get(node)?.metadata.labels)) count++;
    }
    return count;
  }

  isLive(node: string): boolean {
    return this.#live.has(node);
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
    const { client, namespace, log } = this.#options;
    try {
      // resourceVersion 0: out of the watch cache, which may lag by some milliseconds.
      const list = await client.request<{ items: Lease[] | null }>('GET', pathOf(LEASES, namespace), {
        query: { labelSelector: SELECTOR, resourceVersion: '0' },
        timeoutMs: 5_000,
      });
      this.#takeIn(list.items ?? []);
    } catch (error) {
      // What was known stays: an API server that is away says nothing about the agents.
      log.debug('AgentsNotListed', { error });
    }
  }

  #takeIn(leases: readonly Lease[]): void {
    const now = performance.now();
    const seen = new Set<string>();
    for (const { metadata, spec } of leases) {
      const node = spec?.holderIdentity;
      if (!node) continue;
      seen.add(metadata.name);
      const before = this.#watched.get(metadata.name);
      if (before !== undefined && before.renewTime === spec?.renewTime && before.node === node) continue;
      const durationMs = (spec?.leaseDurationSeconds ?? 3) * 1000;
      this.#watched.set(metadata.name, { node, renewTime: spec?.renewTime, durationMs, changedAt: now });
    }
    for (const name of this.#watched.keys()) if (!seen.has(name)) this.#watched.delete(name);

    const patienceMs = this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
    const live = new Set<string>();
    for (const { node, changedAt, durationMs } of this.#watched.values()) {
      if (now - changedAt <= durationMs + patienceMs) live.add(node);
    }
    const changed = !isSame(live, this.#live);
    this.#live = live;
    if (changed) this.#options.onChange();
  }
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each));
}
