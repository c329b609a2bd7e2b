import type { Family } from '../endpoints/canonical-address.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import { countNoLocalEndpoints, type NoLocalEndpoints } from './count-no-local-endpoints.ts';
import type { TrafficPolicy } from './proxy-metrics.ts';

/** Remembers ports whose endpoints are all on other nodes, though their traffic must stay on this one. */
export class NoLocalEndpointsObserver implements ServiceObserver {
  readonly #nodeName: string;
  readonly #counts = new Map<string, NoLocalEndpoints>();

  constructor(nodeName: string) {
    this.#nodeName = nodeName;
  }

  compiled(key: string, inputs: ServedInputs | undefined): void {
    const counts = inputs === undefined ? null : countNoLocalEndpoints(inputs, this.#nodeName);
    if (counts === null) this.#counts.delete(key);
    else this.#counts.set(key, counts);
  }

  applied(): void {}

  count(policy: TrafficPolicy, family: Family): number {
    return [...this.#counts.values()].reduce((sum, each) => sum + (each.get(family)?.[policy] ?? 0), 0);
  }
}
