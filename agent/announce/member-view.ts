import { type MemberRecord, renewalOf } from './member-record.ts';

interface Member {
  record: MemberRecord;
  /** On our own monotonic clock: when something new was last seen of it. */
  lastSeen: number;
  /** The first write of its session that we saw: of earlier ones we don't know whether we voted against them. */
  knownSince: number;
}

/** One write of one life of a member, the last that it saw come back. */
export interface Renewal {
  session: string;
  seq: number;
}

/**
 * What one node knows of all members, itself among them: what their Leases say, when it last saw something new of them,
 * and whom it takes for dead. Times are milliseconds of one monotonic clock, handed in.
 */
export class MemberView {
  readonly #self: string;
  readonly #leaseMs: number;
  readonly #forgetMs: number;
  readonly #members = new Map<string, Member>();
  /** Our own verdicts: node and the renewal that it holds for. Kept from when we decide, not from when it is written. */
  readonly #verdicts = new Map<string, string>();
  /** The last renewal of each that we ever took for its last: kept after it came back. */
  readonly #voted = new Map<string, Renewal>();
  #revision = 0;

  constructor(options: { self: string; leaseMs: number; forgetMs: number }) {
    this.#self = options.self;
    this.#leaseMs = options.leaseMs;
    this.#forgetMs = options.forgetMs;
  }

  get(node: string): MemberRecord | undefined {
    return this.#members.get(node)?.record;
  }

  records(): MemberRecord[] {
    return [...this.#members.values()].map((member) => member.record);
  }

  others(): MemberRecord[] {
    return this.records().filter((record) => record.node !== this.#self);
  }

  /** The members that we don't take for dead, ourselves included. */
  alive(): MemberRecord[] {
    return this.records().filter((record) => !this.isDead(record.node));
  }

  get size(): number {
    return this.#members.size;
  }

  /** Counts what changed but for mere renewals. */
  get revision(): number {
    return this.#revision;
  }

  upsert(record: MemberRecord, now: number): void {
    const known = this.#members.get(record.node);
    const isNew = known === undefined || renewalOf(known.record) !== renewalOf(record);
    const knownSince = known?.record.session === record.session ? known.knownSince : record.seq;
    this.#members.set(record.node, { record, lastSeen: isNew ? now : known.lastSeen, knownSince });
    if (known === undefined || !saysTheSame(known.record, record)) this.#revision++;
    if (record.node === this.#self || this.isDead(record.node)) return;
    if (this.#verdicts.delete(record.node)) this.#revision++;
  }

  remove(node: string): void {
    if (this.#members.delete(node)) this.#revision++;
    this.#verdicts.delete(node);
  }

  /** Verdicts of an earlier life of this process hold on: others may act on them. */
  adoptVerdicts(verdicts: ReadonlyMap<string, string>): void {
    for (const [node, renewal] of verdicts) {
      const [session = '', seq = ''] = renewal.split('.');
      this.#voted.set(node, { session, seq: Number(seq) });
      if (this.#renewal(node) === renewal) this.#verdicts.set(node, renewal);
    }
  }

  /** After a time in which we could not have seen renewals, everyone gets a whole lease's time again. */
  restartClocks(now: number): void {
    for (const member of this.#members.values()) member.lastSeen = now;
  }

  /**
   * A member asks us directly to vouch that it lives; `renewal` is the last that it saw come back. Yes means that we have not
   * taken it for dead since then, and shall not for a whole lease's time. That it has renewed its Lease after we did take it
   * for dead is not enough, as long as it hasn't seen so itself, and with it who took its place.
   */
  vouchFor(node: string, renewal: Renewal, now: number): boolean {
    const member = this.#members.get(node);
    if (member === undefined || member.record.session !== renewal.session) return false;
    if (renewal.seq < member.knownSince) return false;
    const voted = this.#voted.get(node);
    if (voted?.session === renewal.session && renewal.seq <= voted.seq) return false;
    member.lastSeen = now;
    return true;
  }

  /** Takes for dead whom we have seen nothing new of for a lease's time. Returns whether there is a new verdict. */
  judge(now: number): boolean {
    let found = false;
    for (const { record, lastSeen } of this.#members.values()) {
      if (record.node === this.#self || this.isDead(record.node) || now - lastSeen < this.#leaseMs) continue;
      this.#verdicts.set(record.node, renewalOf(record));
      this.#voted.set(record.node, { session: record.session, seq: record.seq });
      this.#revision++;
      found = true;
    }
    return found;
  }

  /** When the next member is to be judged, if nothing is seen of it until then. */
  nextJudgement(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { record, lastSeen } of this.#members.values()) {
      if (record.node !== this.#self && !this.isDead(record.node))
        next = Math.min(next, lastSeen + this.#leaseMs);
    }
    return next;
  }

  verdicts(): ReadonlyMap<string, string> {
    return new Map(this.#verdicts);
  }

  /** Whether we ourselves take it for dead. */
  isDead(node: string): boolean {
    const renewal = this.#renewal(node);
    return renewal !== undefined && this.#verdicts.get(node) === renewal;
  }

  /**
   * Members that count: all but those dead for so long that they are forgotten. A node that is gone for good would
   * otherwise count for ever where nobody deletes its Node, to which its Lease belongs.
   */
  electorate(now: number): MemberRecord[] {
    return [...this.#members.values()]
      .filter(({ record, lastSeen }) => !this.isDead(record.node) || now - lastSeen < this.#forgetMs)
      .map(({ record }) => record);
  }

  /** How many members' Leases, ours among them, say that it is dead as it is now. */
  votesAgainst(node: string, now: number): number {
    const renewal = this.#renewal(node);
    if (renewal === undefined) return 0;
    return this.electorate(now).filter((record) => record.node !== node && record.dead.get(node) === renewal)
      .length;
  }

  /** Whether our own Lease, as the API server has it, says that it is dead as it is now. */
  hasOurVote(node: string): boolean {
    const renewal = this.#renewal(node);
    return renewal !== undefined && this.get(this.#self)?.dead.get(node) === renewal;
  }

  #renewal(node: string): string | undefined {
    const record = this.get(node);
    return record === undefined ? undefined : renewalOf(record);
  }
}

function saysTheSame(one: MemberRecord, other: MemberRecord): boolean {
  return (
    one.session === other.session &&
    one.claims.size === other.claims.size &&
    [...one.claims].every((address) => other.claims.has(address)) &&
    JSON.stringify([one.labels, one.interfaces, [...one.dead]]) ===
      JSON.stringify([other.labels, other.interfaces, [...other.dead]])
  );
}
