import type { LabelSelector, Node } from '../../kube/objects.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { Store } from '../../kube/store.ts';
import type { LiveAgents } from '../../providers/announce/live-agents.ts';
import { LiveLeases, type LiveLeasesOptions } from './live-leases.ts';

export interface AgentsOptions extends Omit<LiveLeasesOptions, 'component'> {
  nodes: Pick<Store<Node>, 'get'>;
}

/** Which nodes have a live agent, by their Leases, each of which names its node as the holder. */
export class Agents implements LiveAgents {
  readonly #nodes: Pick<Store<Node>, 'get'>;
  readonly #leases: LiveLeases;

  constructor({ nodes, ...options }: AgentsOptions) {
    this.#nodes = nodes;
    this.#leases = new LiveLeases({ ...options, component: 'agent' });
  }

  count(selector: LabelSelector | undefined): number {
    const { holders } = this.#leases;
    if (selector === undefined) return holders.size;
    let count = 0;
    for (const node of holders) {
      if (matchesSelector(selector, this.#nodes.get(node)?.metadata.labels)) count++;
    }
    return count;
  }

  isLive(node: string): boolean {
    return this.#leases.isLive(node);
  }

  /** See `LiveLeases`. */
  start(): Promise<void> {
    return this.#leases.start();
  }

  stop(): void {
    this.#leases.stop();
  }
}
