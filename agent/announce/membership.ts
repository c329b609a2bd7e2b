import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { microTime } from '../../kube/lease-times.ts';
import type { Logger } from '../../kube/log.ts';
import type { Lease, Node } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { LEASES } from '../../kube/resources.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { NodeInterface } from './choose-interface.ts';
import type { Candidate, VirtualAddress } from './choose-owner.ts';
import {
  LEASE_PREFIX,
  MEMBER_SELECTOR,
  type MemberRecord,
  parseLease,
  renderLease,
} from './member-record.ts';
import { NodeLease } from './node-lease.ts';
import { Ownership } from './ownership.ts';
import { Peers } from './peers.ts';
import type { AnnounceTimes } from './times.ts';

export interface MembershipOptions {
  client: KubeClient;
  namespace: string;
  nodeName: string;
  node: () => Node | undefined;
  times: AnnounceTimes;
  apiOutage: 'Keep' | 'Fence';
  peerPort: number;
  /** Proves to other members that a question is ours. */
  key: string;
  interfaces: () => NodeInterface[];
  /** What our Lease is to claim now. */
  claims: () => Set<string>;
  /** `facts`: who lives, claims or can own what; `deadline`: only until when what we hold is valid. */
  onChange: (kind: 'facts' | 'deadline') => void;
  log: Logger;
}

/** A node that has nothing to announce any more stays a member for so long. */
const LEAVE_MS = 30_000;
/** How often the way to the other members is tried while it isn't needed. */
const REHEARSE_MS = 60_000;

/** This node among the others: its Lease, what it sees of theirs, and the questions it asks them when nothing is seen. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #log: Logger;
  readonly #session = randomBytes(6).toString('hex');
  readonly #lease: NodeLease;
  #ownership: Ownership;
  #reflector: Reflector<Lease> | undefined;
  #peers: Peers | undefined;
  #isMember = false;
  #neededAt = 0;
  /** Label keys that some load balancer selects by: the only labels that others need to know. */
  #labelKeys: readonly string[] = [];
  #published = '';
  #ticking: NodeJS.Timeout | undefined;
  #judging: NodeJS.Timeout | undefined;
  #asking = false;
  #rehearsedAt = Number.NEGATIVE_INFINITY;
  #rehearsal: boolean | undefined;
  #stopped = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#ownership = this.#newOwnership();
    this.#lease = new NodeLease({
      client: options.client,
      namespace: options.namespace,
      name: LEASE_PREFIX + options.nodeName,
      compose: (seq, startedAt) => this.#compose(seq, startedAt),
      renewMs: () => (this.#isMember ? options.times.renewMs : options.times.restMs),
      requestTimeoutMs: options.times.fenceMs / 2,
      onFailure: () => this.#tick(),
      log: options.log,
    });
  }

  get deadline(): number {
    return this.#ownership.deadline;
  }

  start(): void {
    this.#lease.start();
    this.#ticking = setInterval(() => this.#tick(), this.#options.times.renewMs / 4);
  }

  /** No more writes; what we hold stays valid until the deadline. */
  async stopWriting(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticking);
    clearTimeout(this.#judging);
    await this.#lease.stop();
  }

  /** After this node answers for nothing any more. */
  async stop(): Promise<void> {
    await this.#lease.release();
    await this.#leave();
  }

  /** Says which addresses there are: a node that can own none of them needn't be a member. */
  participate(virtuals: readonly VirtualAddress[], holdsSome: boolean): void {
    const labels = this.#options.node()?.metadata.labels ?? {};
    this.#labelKeys = selectorKeys(virtuals);
    const now = performance.now();
    if (holdsSome || virtuals.some((virtual) => matchesSelector(virtual.nodeSelector, labels)))
      this.#neededAt = now;
    const isNeeded = this.#neededAt > 0 && now - this.#neededAt < LEAVE_MS;
    if (isNeeded && !this.#isMember) this.#join();
    if (!isNeeded && this.#isMember) void this.#leave();
  }

  /** All nodes with a live agent that may own addresses, ourselves included. */
  candidates(): Candidate[] {
    const others = this.#ownership.view.alive().filter((record) => record.node !== this.#options.nodeName);
    return this.#isMember ? [...others, this.#describeSelf()] : others;
  }

  held(): Set<string> {
    return this.#ownership.superseded ? new Set() : this.#ownership.held(performance.now());
  }

  lost(): Set<string> {
    return this.#ownership.lost();
  }

  contender(address: string): string | undefined {
    return this.#ownership.contender(address);
  }

  /** Writes the Lease at once if it would say anything new. */
  publish(): void {
    if (this.#content() !== this.#published) this.#lease.poke();
  }

  #newOwnership(): Ownership {
    const { nodeName, times, apiOutage } = this.#options;
    const { leaseMs, fenceMs, forgetMs } = times;
    return new Ownership({ self: nodeName, session: this.#session, leaseMs, fenceMs, forgetMs, apiOutage });
  }

  #join(): void {
    const { client, namespace, times, node, peerPort, nodeName, key } = this.#options;
    this.#isMember = true;
    this.#ownership = this.#newOwnership();
    this.#reflector = new Reflector<Lease>(
      {
        client,
        type: LEASES,
        namespace,
        labelSelector: MEMBER_SELECTOR,
        // Our own renewals come back each second.
        idleTimeoutMs: times.leaseMs,
        longestDelayMs: times.renewMs,
        log: this.#log,
      },
      {
        replace: (leases) =>
          this.#see((now) =>
            this.#ownership.replace(
              leases.flatMap((lease) => parseLease(lease) ?? []),
              now,
            ),
          ),
        upsert: (lease) =>
          this.#see((now) => {
            const record = parseLease(lease);
            if (record !== undefined) this.#ownership.upsert(record, now);
          }),
        remove: (lease) =>
          this.#see((now) => {
            this.#ownership.remove(lease.metadata.name.slice(LEASE_PREFIX.length), now);
            if (lease.metadata.name === LEASE_PREFIX + nodeName) this.#lease.poke();
          }),
      },
    );
    this.#reflector.start();
    const addresses = internalAddresses(node());
    this.#peers = new Peers({
      self: nodeName,
      addresses,
      port: peerPort,
      key,
      contactOf: (member) => this.#ownership.view.get(member)?.peer,
      vouchFor: (member, renewal) => this.#ownership.view.vouchFor(member, renewal, performance.now()),
      renewal: () => this.#ownership.renewal,
      log: this.#log,
    });
    void this.#peers.open();
    this.#rehearsedAt = performance.now();
    this.#lease.poke();
  }

  async #leave(): Promise<void> {
    this.#isMember = false;
    this.#peers?.close();
    this.#peers = undefined;
    const reflector = this.#reflector;
    this.#reflector = undefined;
    this.#ownership = this.#newOwnership();
    if (!this.#stopped) this.#lease.poke();
    await reflector?.stop();
  }

  #see(apply: (now: number) => void): void {
    const before = this.#ownership.revision;
    const deadline = this.deadline;
    apply(performance.now());
    if (this.#ownership.superseded) this.#log.error('AnotherAgentOnThisNode');
    this.#judge();
    if (this.#ownership.revision !== before) this.#options.onChange('facts');
    else if (this.deadline !== deadline) this.#options.onChange('deadline');
  }

  #judge(): void {
    if (this.#stopped || !this.#isMember) return;
    const now = performance.now();
    if (this.#ownership.judge(now)) {
      this.#log.warn('MembersDead', { nodes: [...this.#ownership.view.verdicts().keys()] });
      this.#options.onChange('facts');
      this.#lease.poke();
    }
    clearTimeout(this.#judging);
    const next = this.#ownership.view.nextJudgement();
    if (!Number.isFinite(next)) return;
    // Past already: we may not judge now, since we don't see ourselves.
    const delay = next > now ? next - now + 1 : this.#options.times.renewMs / 4;
    this.#judging = setTimeout(() => this.#judge(), delay);
  }

  /** Asks the other members when the API server hasn't confirmed us for longer than it should take. */
  #tick(): void {
    const now = performance.now();
    const { times } = this.#options;
    if (!this.#isMember || this.#stopped || this.#peers === undefined) return;
    if (this.#ownership.confirmedByApi === Number.NEGATIVE_INFINITY) return;
    if (now - this.#ownership.confirmedByApi > times.renewMs * 1.3) void this.#ask(now, this.#peers);
    else if (now - this.#rehearsedAt > REHEARSE_MS) void this.#rehearse(now, this.#peers);
  }

  async #ask(askedAt: number, peers: Peers): Promise<void> {
    // A renewal as often as by the API server.
    if (
      this.#asking ||
      askedAt + this.#options.times.fenceMs - this.deadline < this.#options.times.renewMs / 2
    )
      return;
    this.#asking = true;
    const vouched = await this.#askAll(askedAt, peers);
    this.#asking = false;
    if (!vouched || this.#stopped) return;
    this.#ownership.vouchedFor(askedAt);
    this.#options.onChange('deadline');
  }

  async #rehearse(now: number, peers: Peers): Promise<void> {
    this.#rehearsedAt = now;
    const vouched = await this.#askAll(now, peers);
    if (vouched !== this.#rehearsal && !vouched && !this.#stopped) {
      this.#log.warn('MembersUnreachable', {
        port: this.#options.peerPort,
        why: 'this node would fall silent with the API server: less than half of the other members answer over UDP',
      });
    }
    this.#rehearsal = vouched;
  }

  #askAll(askedAt: number, peers: Peers): Promise<boolean> {
    const nodes = this.#ownership.view
      .alive()
      .map((record) => record.node)
      .filter((node) => node !== this.#options.nodeName);
    const needed = this.#ownership.vouchersNeeded(askedAt);
    return peers.ask(nodes, needed, askedAt, this.#options.times.renewMs / 2);
  }

  #describeSelf(): Candidate {
    const labels = this.#options.node()?.metadata.labels ?? {};
    const told = this.#labelKeys.flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [[key, value] as const];
    });
    return {
      node: this.#options.nodeName,
      labels: Object.fromEntries(told),
      interfaces: this.#options.interfaces(),
    };
  }

  #record(seq: number): MemberRecord {
    const { node, peerPort, key, claims } = this.#options;
    const addresses = internalAddresses(node());
    return {
      ...this.#describeSelf(),
      session: this.#session,
      seq,
      claims: this.#isMember ? claims() : new Set(),
      dead: this.#ownership.view.verdicts(),
      peer: this.#isMember && addresses.length > 0 ? { addresses, port: peerPort, key } : undefined,
    };
  }

  #compose(seq: number, startedAt: number): Lease {
    const { namespace, times, node } = this.#options;
    const record = this.#record(seq);
    this.#published = contentOf(record, this.#isMember);
    this.#ownership.beginWrite(seq, startedAt, record.claims);
    const { name, uid } = node()?.metadata ?? {};
    return renderLease(record, {
      namespace,
      member: this.#isMember,
      renewTime: microTime(new Date()),
      leaseSeconds: Math.ceil((this.#isMember ? times.leaseMs : times.restMs * 4) / 1000),
      owner:
        name === undefined || uid === undefined ? undefined : { apiVersion: 'v1', kind: 'Node', name, uid },
    });
  }

  #content(): string {
    return contentOf(this.#record(0), this.#isMember);
  }
}

/** What a record says, apart from being a renewal. */
function contentOf(record: MemberRecord, isMember: boolean): string {
  const { claims, dead, labels, interfaces, peer } = record;
  return JSON.stringify([isMember, [...claims].sort(), [...dead], labels, interfaces, peer]);
}

function selectorKeys(virtuals: readonly VirtualAddress[]): string[] {
  const keys = new Set<string>();
  for (const { nodeSelector } of virtuals) {
    for (const key of Object.keys(nodeSelector?.matchLabels ?? {})) keys.add(key);
    for (const { key } of nodeSelector?.matchExpressions ?? []) keys.add(key);
  }
  return [...keys].sort();
}

function internalAddresses(node: Node | undefined): string[] {
  return (node?.status?.addresses ?? [])
    .filter((entry) => entry.type === 'InternalIP')
    .map((entry) => entry.address);
}
