import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { microTime } from '../../kube/lease-times.ts';
import type { Logger } from '../../kube/log.ts';
import type { Lease, Node } from '../../kube/objects.ts';
import type { Reflector } from '../../kube/reflector.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { NodeInterface } from './choose-interface.ts';
import type { Candidate, VirtualAddress } from './choose-owner.ts';
import { contentOf, describeMember, internalAddresses, selectorKeys } from './describe-member.ts';
import { LEASE_PREFIX, type MemberRecord, parseLease, renderLease } from './member-record.ts';
import { NodeLease } from './node-lease.ts';
import { Ownership } from './ownership.ts';
import type { AnnounceTimes } from './times.ts';
import { Vouching } from './vouching.ts';
import { watchMembers } from './watch-members.ts';

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
  /** Another agent runs on this node, on the same kernel: this one must not touch it any more. */
  onSuperseded: () => void;
  log: Logger;
}

/** From so many members on, their Leases are a burden on the API server: see docs/adr/0003-lease-fenced-l2-ownership.md. */
const MANY_MEMBERS = 100;
/** A node that has nothing to announce any more stays a member for so long. */
const LEAVE_MS = 30_000;

/** This node among the others: its Lease, what it sees of theirs, and the questions it asks them when nothing is seen. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #log: Logger;
  readonly #session = randomBytes(6).toString('hex');
  readonly #lease: NodeLease;
  #ownership: Ownership;
  #reflector: Reflector<Lease> | undefined;
  #vouching: Vouching | undefined;
  #isMember = false;
  #neededAt = 0;
  #labelKeys: readonly string[] = [];
  #published = '';
  #isMany = false;
  #isSettled = false;
  #ticking: NodeJS.Timeout | undefined;
  #judging: NodeJS.Timeout | undefined;
  #leaving: NodeJS.Timeout | undefined;
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
      onFailure: () => this.#vouching?.tick(),
      isOurs: (lease) => parseLease(lease)?.session === this.#session,
      onSuperseded: () => this.#supersede(),
      log: options.log,
    });
  }

  /** Whether a write of ours ever came back. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  get deadline(): number {
    return this.#ownership.deadline;
  }

  start(): void {
    this.#lease.start();
    this.#ticking = setInterval(() => this.#vouching?.tick(), this.#options.times.renewMs / 4);
  }

  /** No more writes; what we hold stays valid until the deadline. */
  async stopWriting(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticking);
    clearTimeout(this.#judging);
    clearTimeout(this.#leaving);
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
    clearTimeout(this.#leaving);
    if (isNeeded && this.#neededAt < now) {
      this.#leaving = setTimeout(() => this.#options.onChange('facts'), LEAVE_MS);
    }
  }

  /** All nodes with a live agent that may own addresses, ourselves included. */
  candidates(): Candidate[] {
    const others = this.#ownership.view.alive().filter((record) => record.node !== this.#options.nodeName);
    return this.#isMember ? [...others, this.#describeSelf()] : others;
  }

  held(): Set<string> {
    return this.#ownership.held(performance.now());
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
    const ownership = this.#newOwnership();
    this.#ownership = ownership;
    this.#reflector = watchMembers({
      client,
      namespace,
      times,
      ownership,
      // A watch that ends late must not stir a later membership.
      see: (apply) => (this.#ownership === ownership ? this.#see(apply) : undefined),
      log: this.#log,
    });
    this.#reflector.start();
    this.#vouching = new Vouching({
      self: nodeName,
      addresses: internalAddresses(node()),
      port: peerPort,
      key,
      times,
      ownership: this.#ownership,
      onVouched: () => this.#options.onChange('deadline'),
      log: this.#log,
    });
    void this.#vouching.open();
    this.#lease.poke();
  }

  async #leave(): Promise<void> {
    this.#isMember = false;
    this.#vouching?.close();
    this.#vouching = undefined;
    const reflector = this.#reflector;
    this.#reflector = undefined;
    this.#ownership = this.#newOwnership();
    if (!this.#stopped) this.#lease.poke();
    await reflector?.stop();
  }

  #supersede(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#log.error('AnotherAgentOnThisNode');
    this.#options.onSuperseded();
    clearInterval(this.#ticking);
    clearTimeout(this.#judging);
    clearTimeout(this.#leaving);
    void this.#lease.stop();
    void this.#leave();
  }

  #see(apply: (now: number) => void): void {
    if (this.#stopped) return;
    const before = this.#ownership.revision;
    const wasThere = this.#ownership.view.get(this.#options.nodeName) !== undefined;
    const deadline = this.deadline;
    apply(performance.now());
    this.#isSettled ||= this.#ownership.confirmedByApi > Number.NEGATIVE_INFINITY;
    if (this.#ownership.superseded) {
      this.#supersede();
      return;
    }
    this.#warnOfMany();
    this.#judge();
    // Somebody deleted our Lease: be a member again at once.
    if (wasThere && this.#ownership.view.get(this.#options.nodeName) === undefined) this.#lease.poke();
    if (this.#ownership.revision !== before) this.#options.onChange('facts');
    else if (this.deadline !== deadline) this.#options.onChange('deadline');
  }

  #warnOfMany(): void {
    const isMany = this.#ownership.view.size > MANY_MEMBERS;
    if (isMany && !this.#isMany) {
      this.#log.warn('ManyMembers', {
        advice: 'a nodeSelector on providers of type announce, or longer times',
      });
    }
    this.#isMany = isMany;
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

  #describeSelf(): Candidate {
    const { nodeName, node, interfaces } = this.#options;
    return describeMember(nodeName, node(), this.#labelKeys, interfaces());
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
