import type { LoadBalancer } from '../crds/load-balancer.ts';
import type { Logger } from '../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../kube/objects.ts';
import type { Store } from '../kube/store.ts';
import { CompileLoop, type ForwardingCounts } from './compile-loop.ts';
import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { LocalAddressSource } from './local-addresses.ts';
import { Applier, type ApplierOptions } from './nftables/applier.ts';
import { Audit, type AuditFinding } from './nftables/audit.ts';
import { type Conflict, RuleBook } from './nftables/rule-book.ts';
import { createNft, type Nft, type StagingObserver } from './nftables/run-nft.ts';
import type { NodeContext, ServeMode } from './node-context.ts';
import { NodeRules } from './node-rules.ts';
import type { ServiceObserver } from './service-observer.ts';

export interface ForwardingStores {
  services: Store<Service>;
  slices: Store<EndpointSlice>;
  loadBalancers: Store<LoadBalancer>;
  nodes: Store<Node>;
  serviceCidrs: Store<ServiceCIDR>;
}

type ApplierEvents = Pick<ApplierOptions, 'onCommit' | 'onRefused' | 'onFailure' | 'onChainsBusy'>;

export interface ForwardingOptions extends ApplierEvents {
  nodeName: string;
  stores: ForwardingStores;
  clusterCidrs: readonly string[];
  nodePortAddresses: 'primary' | readonly string[];
  /** @default none are known, which is enough for `primary` */
  localAddresses?: LocalAddressSource;
  markBit: number;
  /** @default All */
  serve?: ServeMode;
  /** Who may have which `spec.externalIPs`. @default nobody any */
  externalIps?: readonly ExternalIpRule[];
  auditMs: number;
  log: Logger;
  /** @default the system's nft */
  nft?: Nft;
  onFinding?: (finding: AuditFinding) => void;
  onStaged?: StagingObserver;
  /** At each look of the audit: connections with affinity since the last one whose client wasn't remembered. */
  onOverflow?: (connections: number) => void;
  observers?: readonly ServiceObserver[];
  /** A Service can't be forwarded as it is now; told once for each reason. */
  onUnusable?: (key: string, error: Error) => void;
}

/** Who forwards at a Node's primary addresses needs no others. */
const NONE: LocalAddressSource = { all: [], onChange: () => () => {} };

/** From stores to the kernel: compiles what changes, applies it, and looks after it. */
export class Forwarding {
  readonly #book = new RuleBook();
  readonly #applier: Applier;
  readonly #compileLoop: CompileLoop;
  readonly #nodeRules: NodeRules;
  readonly #audit: Audit;
  #programmed = false;

  /** Adds indexes to the stores: make it before they fill. */
  constructor(options: ForwardingOptions) {
    const nft = options.nft ?? createNft([], options.onStaged);
    const book = this.#book;
    const table = { clusterCidrs: options.clusterCidrs, serviceCidrs: [], markBit: options.markBit };
    const observers = options.observers ?? [];
    const tell = (what: 'taken' | 'takenApplied' | 'applied') => () => {
      for (const observer of observers) observer[what]?.();
    };
    const onTaken = tell('taken');
    const onTakenApplied = tell('takenApplied');
    const onApplied = tell('applied');
    const applier = new Applier({
      ...options,
      book,
      nft,
      table,
      onTaken,
      onTakenApplied,
      onApplied,
      onSurprise: () => options.onFinding?.('ChangeRefused'),
    });
    this.#applier = applier;
    this.#nodeRules = new NodeRules({
      serve: 'All',
      externalIps: [],
      localAddresses: NONE,
      ...options,
      ...options.stores,
      book,
      applier,
      onContextChange: () => this.#compileLoop.recompileAll(),
    });
    const context = () => this.#nodeRules.context;
    this.#compileLoop = new CompileLoop({ ...options, ...options.stores, book, applier, observers, context });
    this.#audit = new Audit({ ...options, applier, nft, intervalMs: options.auditMs });
  }

  /** To be called once the stores hold whole listings. Resolves when the kernel was tried with all of it. */
  async start(): Promise<void> {
    this.#nodeRules.start();
    await this.#compileLoop.start();
    this.#applier.start();
    await this.#applier.settled();
    this.#programmed = true;
    this.#audit.start();
  }

  /** Lets the transaction that runs finish. The rules stay. */
  async stop(): Promise<void> {
    this.#compileLoop.stop();
    this.#nodeRules.stop();
    // Together: a look of the audit at many elements ends as soon as the applier has stopped.
    await Promise.all([this.#audit.stop(), this.#applier.stop()]);
  }

  /** Resolves when everything that the stores told has been tried on the kernel. */
  async settled(): Promise<void> {
    await this.#compileLoop.settled();
    await this.#applier.settled();
  }

  /** The kernel has been tried with whole listings. */
  get isProgrammed(): boolean {
    return this.#programmed && this.#applier.hasApplied;
  }

  /** How long a change has been waiting for the kernel, ms; undefined when none is. */
  get waitingMs(): number | undefined {
    const since = this.#applier.waitingSince;
    return since === undefined ? undefined : performance.now() - since;
  }

  /** Transactions that the kernel took. */
  get generation(): number {
    return this.#applier.commits;
  }

  get counts(): ForwardingCounts & { elements: number } {
    return { ...this.#compileLoop.counts, elements: this.#applier.model.elements };
  }

  /** Addresses that this node answers for: what no Service has there is refused, rather than left to the node's processes. */
  setAnnounced(addresses: readonly string[]): void {
    this.#nodeRules.setAnnounced(addresses);
  }

  /** Services without rules that should have some, or with those of before, and why. */
  leftOut(): Map<string, string> {
    const refused = Array.from(this.#applier.refused, ([key, error]) => [key, error.message] as const);
    return new Map([...this.#compileLoop.unusable, ...refused]);
  }

  /** What Services are compiled for. */
  get context(): NodeContext {
    return this.#nodeRules.context;
  }

  /** Where node ports answer. */
  get nodePortAddresses(): string[] {
    return this.#nodeRules.nodePortAddresses;
  }

  /** Services with external addresses that no rule allows them. */
  get notAllowed(): ReadonlyMap<string, readonly string[]> {
    return this.#compileLoop.notAllowed;
  }

  conflicts(): Conflict[] {
    return this.#book.conflicts();
  }
}
