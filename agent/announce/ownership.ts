import type { MemberRecord } from './member-record.ts';
import { MemberView, type Renewal } from './member-view.ts';

export interface OwnershipOptions {
  self: string;
  /** One life of this process. */
  session: string;
  leaseMs: number;
  fenceMs: number;
  /** A member dead for so long doesn't count any more. */
  forgetMs: number;
  /** What an owner does when nobody's Lease can be renewed: see docs/adr/0003. */
  apiOutage: 'Keep' | 'Fence';
}

interface Write {
  startedAt: number;
  claims: ReadonlySet<string>;
}

interface Claim {
  /** Nodes whose claim on the same address was there before ours, or may have been. */
  blockers: Set<string>;
  /** We lost our place in the queue: take the claim back, then claim again. */
  lost: boolean;
}

/**
 * Who may answer for an address, decided on one node from the stream of Lease changes, which all nodes see in the same
 * order. Pure: time and events are handed in. The argument why no two nodes hold an address at once is in
 * docs/adr/0003-lease-fenced-l2-ownership.md; these are its rules:
 *
 * 1. A claim counts from when we see our own write of it come back. All live claims of others that we see at that moment
 *    are before ours, later ones behind. We hold the address when nobody is before us any more.
 * 2. Whoever is before us goes by taking its claim back (after its kernel answers no more), or by being condemned: our own
 *    Lease and at least half of all members' say that it is dead, as it was last renewed.
 * 3. What we hold is valid until the deadline: `fenceMs` after the start of the last write that we saw come back, or of the
 *    last question that more than half of all members, ourselves included, answered with "we vouch for you".
 * 4. A write that comes back after the deadline starts anew: all live claims of others count as before ours.
 */
export class Ownership {
  readonly view: MemberView;
  readonly #options: OwnershipOptions;
  readonly #claims = new Map<string, Claim>();
  readonly #writes = new Map<number, Write>();
  #confirmedByApi = Number.NEGATIVE_INFINITY;
  #confirmedByPeers = Number.NEGATIVE_INFINITY;
  #echoed = 0;
  #superseded = false;
  #revision = 0;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.view = new MemberView(options);
  }

  /** Counts what changed but for mere renewals. */
  get revision(): number {
    return this.view.revision + this.#revision;
  }

  /** Until when what we hold is valid. */
  get deadline(): number {
    return Math.max(this.#confirmedByApi, this.#confirmedByPeers) + this.#options.fenceMs;
  }

  /** Start of the last write that we saw come back. */
  get confirmedByApi(): number {
    return this.#confirmedByApi;
  }

  /** The last of our writes that we saw come back: what others are asked to vouch for. */
  get renewal(): Renewal {
    return { session: this.#options.session, seq: this.#echoed };
  }

  /** Another process has begun to write our Lease. */
  get superseded(): boolean {
    return this.#superseded;
  }

  /** How many others have to vouch for us when the API server can't. */
  vouchersNeeded(now: number): number {
    if (this.#options.apiOutage === 'Fence') return Number.POSITIVE_INFINITY;
    return Math.floor(this.view.electorate(now).length / 2);
  }

  /** Addresses that we hold. */
  held(now: number): Set<string> {
    const held = new Set<string>();
    if (now >= this.deadline) return held;
    for (const [address, claim] of this.#claims) {
      if (!claim.lost && claim.blockers.size === 0) held.add(address);
    }
    return held;
  }

  /** Addresses whose claim must be taken back before it is made again. */
  lost(): Set<string> {
    return new Set([...this.#claims].filter(([, claim]) => claim.lost).map(([address]) => address));
  }

  /** A node that lives and claims the address too. */
  contender(address: string): string | undefined {
    return this.view
      .alive()
      .find((record) => record.node !== this.#options.self && record.claims.has(address))?.node;
  }

  /** A write is about to be sent. What it doesn't claim isn't held from now on: the write may come through at any time. */
  beginWrite(seq: number, startedAt: number, claims: ReadonlySet<string>): void {
    this.#writes.set(seq, { startedAt, claims: new Set(claims) });
    this.#forgetOthers(claims);
  }

  /** A Lease as the watch shows it. */
  upsert(record: MemberRecord, now: number): void {
    if (record.node === this.#options.self) this.#seeOwn(record, now);
    else this.view.upsert(record, now);
    this.#settle(now);
  }

  remove(node: string, now: number): void {
    this.view.remove(node);
    // Someone deleted our Lease, and with it our claims: others may hold what we did from now on.
    if (node === this.#options.self) {
      this.#confirmedByApi = this.#confirmedByPeers = Number.NEGATIVE_INFINITY;
      this.view.restartClocks(now);
      this.#revision++;
    }
    this.#settle(now);
  }

  /** A whole listing: what happened since the last event isn't known in its order. */
  replace(records: readonly MemberRecord[], now: number): void {
    const present = new Set(records.map((record) => record.node));
    for (const { node } of this.view.records()) {
      if (!present.has(node)) this.remove(node, now);
    }
    for (const record of records) {
      if (record.node !== this.#options.self) this.view.upsert(record, now);
    }
    for (const record of records) {
      if (record.node === this.#options.self) this.#seeOwn(record, now);
    }
    this.#settle(now);
    // A blocker may have queued again behind us meanwhile, and would wait for us as we for it.
    for (const claim of this.#claims.values()) if (claim.blockers.size > 0) claim.lost = true;
    this.#revision++;
  }

  /** Whether to take members for dead now; only who sees itself come back may judge. */
  judge(now: number): boolean {
    return now < this.#confirmedByApi + this.#options.fenceMs && this.view.judge(now);
  }

  /** Enough members answered a question that was sent at `askedAt`. */
  vouchedFor(askedAt: number): void {
    this.#confirmedByPeers = Math.max(this.#confirmedByPeers, askedAt);
  }

  #seeOwn(record: MemberRecord, now: number): void {
    const published = this.view.get(this.#options.self)?.claims ?? new Set<string>();
    this.view.upsert(record, now);
    if (record.session !== this.#options.session) {
      if (this.#confirmedByApi > Number.NEGATIVE_INFINITY) this.#superseded = true;
      else this.view.adoptVerdicts(record.dead);
      return;
    }
    const write = this.#writes.get(record.seq);
    if (write === undefined) return;
    for (const seq of this.#writes.keys()) if (seq <= record.seq) this.#writes.delete(seq);
    const isContinuous = now < this.deadline;
    if (!isContinuous) {
      this.#claims.clear();
      this.#revision++;
    }
    if (now >= this.#confirmedByApi + this.#options.fenceMs) this.view.restartClocks(now);
    this.#confirmedByApi = write.startedAt;
    this.#echoed = record.seq;
    // A later write, on its way already, may have taken some of them back.
    const still = [...write.claims].filter((address) =>
      [...this.#writes.values()].every((later) => later.claims.has(address)),
    );
    this.#takeClaims(new Set(still), published, now);
  }

  /** `suspect`: claims that others may be queued behind already, so that waiting for those others could be for ever. */
  #takeClaims(claims: ReadonlySet<string>, suspect: ReadonlySet<string>, now: number): void {
    this.#forgetOthers(claims);
    for (const address of claims) {
      if (this.#claims.has(address)) continue;
      const blockers = new Set<string>();
      for (const other of this.view.others()) {
        if (other.claims.has(address) && !this.#isCondemned(other.node, now)) blockers.add(other.node);
      }
      this.#revision++;
      this.#claims.set(address, { blockers, lost: blockers.size > 0 && suspect.has(address) });
    }
  }

  #forgetOthers(claims: ReadonlySet<string>): void {
    for (const address of this.#claims.keys()) {
      if (!claims.has(address) && this.#claims.delete(address)) this.#revision++;
    }
  }

  /** Those before us who went. */
  #settle(now: number): void {
    for (const [address, claim] of this.#claims) {
      for (const node of claim.blockers) {
        if (this.view.get(node)?.claims.has(address) && !this.#isCondemned(node, now)) continue;
        claim.blockers.delete(node);
        this.#revision++;
      }
    }
  }

  #isCondemned(node: string, now: number): boolean {
    if (!this.view.hasOurVote(node)) return false;
    const needed = this.#options.apiOutage === 'Keep' ? Math.ceil(this.view.electorate(now).length / 2) : 1;
    return this.view.votesAgainst(node, now) >= needed;
  }
}
