import { servicesOfSlice } from '../../kube/endpoint-slices.ts';
import type { EndpointSlice, Service } from '../../kube/objects.ts';
import type { Store, StoreChange } from '../../kube/store.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import type { ProxyMetrics } from './proxy-metrics.ts';

/** Set by the EndpointSlice controller: when the Pod or Service changed that it changed the slice for. */
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** What waits of one Service. */
interface Waiting {
  service: boolean;
  slices: number;
  triggers: { family: Family; at: number }[];
}

const FAMILY_OF_TYPE: Readonly<Record<string, Family>> = { IPv4: 'ip', IPv6: 'ip6' };
/** A Service that can't be compiled waits on and on. */
const MOST_TRIGGERS = 100;

/** Follows each change until the kernel has it, and tells kube-proxy's metrics of both ends. */
export class ChangeTracker implements ServiceObserver {
  readonly #metrics: ProxyMetrics;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** By Service: seen, and not compiled yet. */
  readonly #seen = new Map<string, Waiting>();
  /** Compiled, and not taken to be written yet. */
  #compiled: Waiting[] = [];
  /** On their way into the kernel. */
  #taken: Waiting[] = [];
  readonly #unsubscribe: (() => void)[];

  /** `now` is in ms, of the clock that the trigger times are of. */
  constructor(
    stores: { services: Store<Service>; slices: Store<EndpointSlice> },
    metrics: ProxyMetrics,
    now: () => number = Date.now,
  ) {
    this.#metrics = metrics;
    this.#now = now;
    this.#startedAt = now();
    this.#unsubscribe = [
      stores.services.onChange(({ key }) => this.#serviceChanged(key)),
      stores.slices.onChange((change) => this.#sliceChanged(change)),
    ];
  }

  get pending(): { services: number; endpoints: number } {
    const waiting = [...this.#seen.values(), ...this.#compiled, ...this.#taken];
    return {
      services: waiting.filter(({ service }) => service).length,
      endpoints: waiting.reduce((sum, { slices }) => sum + slices, 0),
    };
  }

  compiled(key: string, inputs: ServedInputs | undefined): void {
    const waiting = this.#seen.get(key);
    if (waiting === undefined) return;
    this.#seen.delete(key);
    this.#compiled.push(inputs === undefined ? { ...waiting, triggers: [] } : waiting);
  }

  taken(): void {
    for (const waiting of this.#compiled) this.#taken.push(waiting);
    this.#compiled = [];
  }

  takenApplied(): void {
    const now = this.#now();
    for (const { family, at } of this.#taken.flatMap(({ triggers }) => triggers)) {
      this.#metrics.programmed(family, Math.max(0, now - at) / 1000);
    }
    this.#taken = [];
    this.#metrics.synced();
  }

  applied(): void {}

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #serviceChanged(key: string): void {
    this.#metrics.serviceChanged();
    this.#waitingOf(key).service = true;
  }

  #sliceChanged({ type, object, previous }: StoreChange<EndpointSlice>): void {
    const family = FAMILY_OF_TYPE[object.addressType];
    if (family === undefined) return;
    this.#metrics.endpointsChanged();
    const text = object.metadata.annotations?.[TRIGGER_TIME];
    const at = text === undefined ? Number.NaN : Date.parse(text);
    // The time of a slice that goes is that of its last change, and one that stays was told already.
    const isTold = type === 'Deleted' || text === previous?.metadata.annotations?.[TRIGGER_TIME];
    for (const key of servicesOfSlice(object)) {
      const waiting = this.#waitingOf(key);
      waiting.slices++;
      if (type === 'Deleted') waiting.triggers = [];
      else if (!isTold && at > this.#startedAt && waiting.triggers.length < MOST_TRIGGERS) {
        waiting.triggers.push({ family, at });
      }
    }
  }

  #waitingOf(key: string): Waiting {
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const waiting = { service: false, slices: 0, triggers: [] };
    this.#seen.set(key, waiting);
    return waiting;
  }
}
