import type { LoadBalancer } from '../crds/load-balancer.ts';
import { servicesOfSlice } from '../kube/endpoint-slices.ts';
import type { Logger } from '../kube/log.ts';
import type { EndpointSlice, Service } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import { inSlices } from '../kube/slice-work.ts';
import type { Store } from '../kube/store.ts';
import { decideServed } from './endpoints/decide-served.ts';
import { HandOver } from './hand-over.ts';
import type { Applier } from './nftables/applier.ts';
import { isOfService } from './nftables/collect-vips.ts';
import { compileService } from './nftables/compile-service.ts';
import type { RuleBook } from './nftables/rule-book.ts';
import type { NodeContext } from './node-context.ts';
import { BY_SERVICE, servicesOfLoadBalancer } from './service-index.ts';
import type { ServedInputs, ServiceObserver } from './service-observer.ts';

export interface CompileLoopOptions {
  services: Store<Service>;
  slices: Store<EndpointSlice>;
  loadBalancers: Store<LoadBalancer>;
  context: () => NodeContext;
  book: RuleBook;
  applier: Applier;
  log: Logger;
  observers: readonly ServiceObserver[];
  /** A Service can't be forwarded as it is now; told once for each reason. */
  onUnusable?: ((key: string, error: Error) => void) | undefined;
}

export interface ForwardingCounts {
  /** Services with rules. */
  services: number;
  /** Addresses and ports behind them. */
  endpoints: number;
}

/**
 * Compiles what changed: an event names its Service, and only that one is compiled, once however many events named it.
 * Nothing is compiled before `start`, so that nothing is decided on half of the lists.
 */
export class CompileLoop {
  readonly #options: CompileLoopOptions;
  readonly #dirty = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #unusable = new Map<string, string>();
  readonly #notAllowed = new Map<string, readonly string[]>();
  readonly #handOver = new HandOver((key) => this.#touch([key]));
  readonly #unsubscribe: (() => void)[] = [];
  #started = false;
  #running: Promise<void> | undefined;
  #endpoints = 0;

  /** Adds its indexes to the stores: make it before they fill. */
  constructor(options: CompileLoopOptions) {
    this.#options = options;
    const { services, slices, loadBalancers } = options;
    slices.addIndex(BY_SERVICE, servicesOfSlice);
    loadBalancers.addIndex(BY_SERVICE, servicesOfLoadBalancer);
    this.#unsubscribe.push(
      services.onChange(({ key }) => this.#touch([key])),
      slices.onChange(({ object, previous = object }) => {
        this.#touch([...servicesOfSlice(object), ...servicesOfSlice(previous)]);
      }),
      loadBalancers.onChange(({ object }) => this.#touch(servicesOfLoadBalancer(object))),
    );
  }

  /** Compiles all Services, and from then on what changes. Resolves when the first round is in the book. */
  async start(): Promise<void> {
    this.#started = true;
    this.#kick();
    await this.#running;
  }

  /** Resolves when nothing waits to be compiled. */
  async settled(): Promise<void> {
    await this.#running;
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#handOver.stop();
  }

  /** What they are compiled for changed. */
  recompileAll(): void {
    this.#touch(this.#options.services.list().map(keyOf));
  }

  get counts(): ForwardingCounts {
    return { services: this.#counts.size, endpoints: this.#endpoints };
  }

  /** Services that can't be compiled, and why. */
  get unusable(): ReadonlyMap<string, string> {
    return this.#unusable;
  }

  /** Services with external addresses that they may not have. */
  get notAllowed(): ReadonlyMap<string, readonly string[]> {
    return this.#notAllowed;
  }

  #touch(keys: Iterable<string>): void {
    for (const key of keys) this.#dirty.add(key);
    if (this.#started) this.#kick();
  }

  #kick(): void {
    // Not at once: what arrives in one chunk of the watch is told in one go, and is to be one transaction.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#dirty.size > 0) {
        await inSlices(this.#dirty, (key) => {
          this.#dirty.delete(key);
          this.#compile(key);
        });
        this.#options.applier.schedule();
      }
    } finally {
      this.#running = undefined;
    }
  }

  #compile(key: string): void {
    const { services, slices, loadBalancers, context, book, applier, log } = this.#options;
    const service = services.get(key);
    applier.forgive(key);
    const unusable = this.#unusable.get(key);
    this.#unusable.delete(key);
    this.#notAllowed.delete(key);
    if (service === undefined) {
      this.#handOver.forget(key);
      book.remove(key);
      this.#count(key, undefined);
      this.#tell(key, undefined);
      return;
    }
    try {
      const inputs = {
        service,
        slices: slices.byIndex(BY_SERVICE, key),
        loadBalancers: loadBalancers.byIndex(BY_SERVICE, key).filter((each) => isOfService(each, service)),
      };
      const node = context();
      const served = this.#handOver.asServed(key, service, node.serve);
      const compiled = compileService({ ...inputs, service: served }, node);
      book.put({ key, since: service.metadata.creationTimestamp ?? '' }, compiled.entries);
      if (compiled.notAllowed.length > 0) this.#notAllowed.set(key, compiled.notAllowed);
      this.#count(key, compiled.entries.length > 0 ? compiled.endpoints : undefined);
      // Ports of health checks are bound by one of the two only: they are let go at once.
      const { part } = decideServed(service, node.serve);
      this.#tell(key, part === null ? undefined : { ...inputs, part });
    } catch (error) {
      // What it had stays: it was right before this change.
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#unusable.set(key, reason.message);
      log.error('ServiceUnusable', { service: key, error });
      if (unusable !== reason.message) this.#options.onUnusable?.(key, reason);
    }
  }

  #tell(key: string, inputs: ServedInputs | undefined): void {
    const { observers, log } = this.#options;
    for (const observer of observers) {
      try {
        observer.compiled(key, inputs);
      } catch (error) {
        // Who only looks on must not keep traffic from being forwarded.
        log.error('ObserverFailed', { service: key, error });
      }
    }
  }

  #count(key: string, endpoints: number | undefined): void {
    this.#endpoints += (endpoints ?? 0) - (this.#counts.get(key) ?? 0);
    if (endpoints === undefined) this.#counts.delete(key);
    else this.#counts.set(key, endpoints);
  }
}
