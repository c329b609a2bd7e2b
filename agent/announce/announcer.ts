import { randomBytes } from 'node:crypto';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/log.ts';
import type { Node } from '../../kube/objects.ts';
import type { Store } from '../../kube/store.ts';
import { AddressKeeper } from './address-keeper.ts';
import type { NoOwnerReason, ReadyNodes, VirtualAddress } from './choose-owner.ts';
import { collectAddresses } from './collect-addresses.ts';
import { type Decision, decideClaims } from './decide-claims.ts';
import { Membership } from './membership.ts';
import { type AnnounceTimes, checkTimes, DEFAULT_TIMES } from './times.ts';

export interface AnnounceOptions {
  client: KubeClient;
  nodeName: string;
  /** Synced before the announcer starts: what isn't in it is taken off the interfaces. */
  loadBalancers: Store<LoadBalancer>;
  /** This node's own Node, for its labels and addresses; undefined while unknown. */
  node: () => Node | undefined;
  /**
   * Nodes with a ready endpoint of a Service (`namespace/name`), for externalTrafficPolicy Local; call `reconsider` when the
   * answer changed. Without it such Services' addresses are announced as if their policy were Cluster.
   */
  readyNodes?: ReadyNodes;
  /** Where the agents' Leases are. @default fairlead-system */
  leaseNamespace?: string;
  log: Logger;
  times?: Partial<AnnounceTimes>;
  /**
   * What an owner does when the API server can't be reached. `Keep`: it goes on as long as more than half of the members
   * vouch for it, and nobody takes over from a node that less than half of the members take for dead. `Fence`: it always
   * falls silent, and one node that sees it dead is enough. The same on all nodes. @default Keep
   */
  apiOutage?: 'Keep' | 'Fence';
  /** UDP port on which members vouch for each other. @default 9474 */
  peerPort?: number;
}

export interface AnnounceProblem {
  address: string;
  /** LoadBalancers that it belongs to, as `namespace/name`. */
  loadBalancers: readonly string[];
  reason: NoOwnerReason;
}

export interface Announcer {
  /** Addresses that this node answers for now, sorted. */
  announced(): string[];
  /** Addresses that no node can own, with the reason; the same on every node. */
  problems(): AnnounceProblem[];
  /** Called after `announced` or `problems` changed. Returns how to stop being called. */
  onChange(handler: () => void): () => void;
  /** The Node or the ready endpoints changed. */
  reconsider(): void;
  /** Hands everything over: answers for nothing any more, then lets the Lease go, so that others take over at once. */
  stop(): Promise<void>;
}

/**
 * Starts announcing this node's share of the load balancers' addresses.
 * @throws Error when this kernel can't guard addresses (nftables without ARP tables), or `ip` or `nft` is missing.
 */
export async function startAnnouncer(options: AnnounceOptions): Promise<Announcer> {
  const announcer = new AddressAnnouncer(options);
  await announcer.start();
  return announcer;
}

/** Ties the parts together: LoadBalancers and members in, claims and addresses out. */
class AddressAnnouncer implements Announcer {
  readonly #options: AnnounceOptions;
  readonly #log: Logger;
  readonly #keeper: AddressKeeper;
  readonly #membership: Membership;
  readonly #handlers = new Set<() => void>();
  #virtuals = new Map<string, VirtualAddress>();
  #decisions: Decision[] = [];
  #considering = false;
  #unsubscribe: () => void = () => {};
  #told = '';
  #stopped = false;

  constructor(options: AnnounceOptions) {
    const times = checkTimes({ ...DEFAULT_TIMES, ...options.times });
    this.#options = options;
    this.#log = options.log.child({ part: 'announce' });
    this.#keeper = new AddressKeeper({
      log: this.#log,
      times,
      deadline: () => this.#membership.deadline,
      isSettled: () => this.#membership.isSettled,
      target: () => this.#target(),
      onChange: () => this.#afterKernel(),
      onInterfaces: () => this.reconsider(),
    });
    this.#membership = new Membership({
      client: options.client,
      namespace: options.leaseNamespace ?? 'fairlead-system',
      nodeName: options.nodeName,
      node: options.node,
      times,
      apiOutage: options.apiOutage ?? 'Keep',
      peerPort: options.peerPort ?? 9474,
      key: randomBytes(16).toString('hex'),
      interfaces: () => this.#keeper.described,
      claims: () => this.#claims(),
      onChange: (kind) => (kind === 'facts' ? this.reconsider() : this.#keeper.kick()),
      onSuperseded: () => this.#abandon(),
      log: this.#log,
    });
  }

  async start(): Promise<void> {
    await this.#keeper.start();
    this.#unsubscribe = this.#options.loadBalancers.onChange(() => this.reconsider());
    this.#consider();
    this.#membership.start();
  }

  announced(): string[] {
    return [...this.#keeper.answering()].sort();
  }

  problems(): AnnounceProblem[] {
    return this.#decisions.flatMap(({ address, reason }) =>
      reason === undefined
        ? []
        : [{ address, reason, loadBalancers: this.#virtuals.get(address)?.loadBalancers ?? [] }],
    );
  }

  onChange(handler: () => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  reconsider(): void {
    if (this.#stopped || this.#considering) return;
    this.#considering = true;
    // What one chunk of a watch tells goes together; but a claim that came back waits for nothing else that has arrived.
    queueMicrotask(() => {
      this.#considering = false;
      this.#consider();
    });
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unsubscribe();
    await this.#membership.stopWriting();
    await this.#keeper.stop();
    await this.#membership.stop();
    this.#tell();
  }

  /** Leaves everything to another agent on this node. */
  #abandon(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.#keeper.abandon();
    this.#tell();
  }

  #consider(): void {
    if (this.#stopped) return;
    this.#virtuals = collectAddresses(this.#options.loadBalancers.list());
    this.#keeper.setNamed(
      new Set([...this.#virtuals.values()].flatMap((virtual) => virtual.interfaces ?? [])),
    );
    this.#membership.participate([...this.#virtuals.values()], this.#keeper.present.size > 0);
    this.#decisions = decideClaims(this.#virtuals.values(), {
      self: this.#options.nodeName,
      candidates: this.#membership.candidates(),
      readyNodes: this.#readyNodes,
      held: this.#membership.held(),
      contender: (address) => this.#membership.contender(address),
    });
    this.#membership.publish();
    this.#keeper.kick();
    this.#tell();
  }

  get #readyNodes(): ReadyNodes {
    const { readyNodes } = this.#options;
    if (readyNodes !== undefined) return readyNodes;
    const all = new Set(this.#membership.candidates().map((candidate) => candidate.node));
    return () => all;
  }

  /** What our Lease claims: what we want, and what our kernel may still answer for. */
  #claims(): Set<string> {
    const claims = new Set(this.#keeper.present.keys());
    const lost = this.#membership.lost();
    for (const { address, claim } of this.#decisions) if (claim && !lost.has(address)) claims.add(address);
    return claims;
  }

  /** What the kernel should answer for: what we want and hold; address to device. */
  #target(): Map<string, string> {
    const target = new Map<string, string>();
    if (this.#stopped) return target;
    const held = this.#membership.held();
    for (const decision of this.#decisions) {
      if (decision.claim && decision.interface !== undefined && held.has(decision.address)) {
        target.set(decision.address, decision.interface);
      }
    }
    return target;
  }

  #afterKernel(): void {
    if (!this.#stopped) this.#membership.publish();
    this.#tell();
  }

  #tell(): void {
    const now = JSON.stringify([this.announced(), this.problems()]);
    if (now === this.#told) return;
    this.#told = now;
    for (const handler of this.#handlers) {
      try {
        handler();
      } catch (error) {
        this.#log.error('HandlerFailed', { error });
      }
    }
  }
}
