import { type Candidate, chooseOwner, type VirtualAddress } from '../../../../agent/announce/choose-owner.ts';
import { decideClaims } from '../../../../agent/announce/decide-claims.ts';
import type { MemberRecord } from '../../../../agent/announce/member-record.ts';
import type { Renewal } from '../../../../agent/announce/member-view.ts';
import { Ownership } from '../../../../agent/announce/ownership.ts';
import { DEFAULT_TIMES } from '../../../../agent/announce/times.ts';

/** What goes wrong from `at` on, for `ms`. Times are milliseconds of simulated true time. */
export interface Fault {
  /** `split`: the nodes named by the bits of `node` are cut from the API server and from all others. */
  kind: 'cutFromApi' | 'apiDown' | 'isolated' | 'paused' | 'restarted' | 'watchStuck' | 'split';
  node: number;
  at: number;
  ms: number;
}

export interface Cluster {
  nodes: number;
  faults: readonly Fault[];
  /** How fast each node's clock runs. */
  clockRates: readonly number[];
  /** In [0, 1). */
  random: () => number;
  apiOutage?: 'Keep' | 'Fence';
}

const STEP_MS = 20;
/** From then on nothing goes wrong that isn't a fault. */
export const CALM_AFTER_MS = 30_000;
const { leaseMs, fenceMs, renewMs, forgetMs } = DEFAULT_TIMES;
const INTERFACES = [{ name: 'eth1', subnets: ['198.18.0.0/24'], defaultRoute: [] }];

interface Stored {
  version: number;
  record: MemberRecord;
}

/** An API server that keeps Leases in one order, refuses writes from an old version, and may answer late or not at all. */
class SimulatedApi {
  readonly leases = new Map<string, Stored>();
  readonly log: (Stored & { at: number })[] = [];
  #version = 0;

  write(record: MemberRecord, fromVersion: number, now: number): number | undefined {
    if ((this.leases.get(record.node)?.version ?? 0) !== fromVersion) return undefined;
    const stored = { version: ++this.#version, record };
    this.leases.set(record.node, stored);
    this.log.push({ ...stored, at: now });
    return stored.version;
  }
}

class SimulatedNode {
  readonly name: string;
  /** Kernel: survives the process. */
  readonly present = new Set<string>();
  /** True time. */
  guardedUntil = 0;
  readonly #cluster: SimulatedCluster;
  readonly #index: number;
  #session = 0;
  #ownership: Ownership;
  #seq = 0;
  #version: number | undefined;
  #watchedTo = 0;
  #listed = false;
  #writing:
    | { doneAt: number; commitAt: number; record: MemberRecord; from: number; committed: boolean }
    | undefined;
  #nextWriteAt = 0;
  #published = '';
  #guardSetFor = 0;
  #asks: { askedAt: number; trueAskedAt: number; vouchers: Set<string> }[] = [];
  #nextAskAt = 0;
  #decidedFor = '';
  #decided = new Map<string, boolean>();

  constructor(cluster: SimulatedCluster, index: number) {
    this.#cluster = cluster;
    this.#index = index;
    this.name = `node-${index}`;
    this.#ownership = this.#start();
  }

  /** A new process on the same kernel. */
  restart(): void {
    this.#ownership = this.#start();
    this.#version = undefined;
    this.#listed = false;
    this.#writing = undefined;
    this.#asks = [];
    this.#published = '';
    this.#guardSetFor = 0;
    this.#nextWriteAt = 0;
  }

  step(now: number): void {
    const clock = now * (this.#cluster.clockRates[this.#index] ?? 1);
    this.#commit(now);
    if (this.#cluster.isFaulty('paused', this.#index, now)) return;
    this.#watch(now, clock);
    this.#ownership.judge(clock);
    this.#applyKernel(now, clock);
    this.#finishWrite(now);
    this.#askPeers(now, clock);
    if (this.#writing === undefined && (now >= this.#nextWriteAt || this.#content() !== this.#published)) {
      this.#beginWrite(now, clock);
    }
  }

  vouch(forNode: string, renewal: Renewal, now: number): boolean {
    if (!this.#listed || this.#cluster.isFaulty('paused', this.#index, now)) return false;
    return this.#ownership.view.vouchFor(
      forNode,
      renewal,
      now * (this.#cluster.clockRates[this.#index] ?? 1),
    );
  }

  answersFor(address: string, now: number): boolean {
    return this.present.has(address) && now < this.guardedUntil;
  }

  #start(): Ownership {
    this.#session++;
    return new Ownership({
      self: this.name,
      session: `${this.name}-${this.#session}`,
      leaseMs,
      fenceMs,
      forgetMs,
      apiOutage: this.#cluster.apiOutage,
    });
  }

  #watch(now: number, clock: number): void {
    if (!this.#cluster.reachesApi(this.#index, now)) return;
    if (this.#cluster.isFaulty('watchStuck', this.#index, now)) return;
    const { log, leases } = this.#cluster.api;
    if (!this.#listed) {
      this.#listed = true;
      this.#watchedTo = log.length;
      this.#ownership.replace(
        [...leases.values()].map((stored) => stored.record),
        clock,
      );
      return;
    }
    for (; this.#watchedTo < log.length; this.#watchedTo++) {
      const event = log[this.#watchedTo];
      if (event === undefined || event.at + this.#cluster.delay(30) > now) break;
      this.#ownership.upsert(event.record, clock);
    }
  }

  #desired(clock: number): Map<string, boolean> {
    const held = this.#ownership.held(clock);
    const key = `${this.#session} ${this.#ownership.revision} ${[...held].join()}`;
    if (key === this.#decidedFor) return this.#decided;
    this.#decidedFor = key;
    const candidates: Candidate[] = this.#ownership.view
      .alive()
      .filter((record) => record.node !== this.name);
    candidates.push({ node: this.name, labels: {}, interfaces: INTERFACES });
    const decisions = decideClaims(this.#cluster.virtuals, {
      self: this.name,
      candidates,
      readyNodes: () => new Set(),
      held,
      contender: (address) => this.#ownership.contender(address),
    });
    this.#decided = new Map(decisions.map((decision) => [decision.address, decision.claim]));
    return this.#decided;
  }

  #target(clock: number): Set<string> {
    const held = this.#ownership.held(clock);
    const desired = this.#desired(clock);
    return new Set([...held].filter((address) => desired.get(address)));
  }

  #applyKernel(now: number, clock: number): void {
    // A process that has just started holds nothing yet, and leaves what is there under the guard of its former life.
    if (this.#ownership.confirmedByApi === Number.NEGATIVE_INFINITY) return;
    const target = this.#target(clock);
    for (const address of this.present) if (!target.has(address)) this.present.delete(address);
    if (target.size === 0) return;
    if (this.#ownership.deadline !== this.#guardSetFor) {
      this.#guardSetFor = this.#ownership.deadline;
      // `nft` takes a moment to start; the time-out counts from then.
      const rate = this.#cluster.clockRates[this.#index] ?? 1;
      this.guardedUntil = now + this.#cluster.delay(20) + (this.#guardSetFor - clock) / rate;
    }
    for (const address of target) this.present.add(address);
  }

  #claims(clock: number): Set<string> {
    const lost = this.#ownership.lost();
    const claims = new Set(this.present);
    for (const [address, claim] of this.#desired(clock)) if (claim && !lost.has(address)) claims.add(address);
    return claims;
  }

  #content(clock = this.#cluster.now * (this.#cluster.clockRates[this.#index] ?? 1)): string {
    return JSON.stringify([[...this.#claims(clock)].sort(), [...this.#ownership.view.verdicts()]]);
  }

  #beginWrite(now: number, clock: number): void {
    if (this.#version === undefined) {
      if (!this.#cluster.reachesApi(this.#index, now)) return;
      this.#version = this.#cluster.api.leases.get(this.name)?.version ?? 0;
    }
    const record: MemberRecord = {
      node: this.name,
      session: `${this.name}-${this.#session}`,
      seq: ++this.#seq,
      claims: this.#claims(clock),
      dead: this.#ownership.view.verdicts(),
      labels: {},
      interfaces: INTERFACES,
      peer: undefined,
    };
    this.#published = this.#content(clock);
    this.#ownership.beginWrite(record.seq, clock, record.claims);
    // Some requests are slow, some are committed long after the client gave up.
    const isSlow = now < CALM_AFTER_MS && this.#cluster.random() < 0.05;
    const commitAt = now + this.#cluster.delay(isSlow ? 3000 : 20);
    this.#cluster.inFlight.push({ node: this.#index, commitAt, record, from: this.#version });
    this.#writing = {
      doneAt: Math.min(commitAt + this.#cluster.delay(20), now + 1200),
      commitAt,
      record,
      from: this.#version,
      committed: false,
    };
    this.#nextWriteAt = now + renewMs;
  }

  #commit(now: number): void {
    const { inFlight, api } = this.#cluster;
    for (const request of inFlight.filter((each) => each.node === this.#index && each.commitAt <= now)) {
      inFlight.splice(inFlight.indexOf(request), 1);
      if (!this.#cluster.reachesApi(this.#index, now)) continue;
      const version = api.write(request.record, request.from, now);
      const isOurs = this.#writing?.record === request.record;
      if (version !== undefined && isOurs && this.#writing) {
        this.#writing.committed = true;
        this.#writing.from = version;
      }
    }
  }

  #finishWrite(now: number): void {
    if (this.#writing === undefined || now < this.#writing.doneAt) return;
    const answered = this.#writing.committed && this.#cluster.reachesApi(this.#index, now);
    this.#version = answered ? this.#writing.from : undefined;
    if (!answered) this.#nextWriteAt = now + 250;
    this.#writing = undefined;
  }

  #askPeers(now: number, clock: number): void {
    for (const ask of this.#asks) {
      if (ask.vouchers.size >= this.#ownership.vouchersNeeded(clock)) this.#ownership.vouchedFor(ask.askedAt);
    }
    this.#asks = this.#asks.filter((ask) => now - ask.trueAskedAt < 500);
    const late = clock - this.#ownership.confirmedByApi > renewMs * 1.3;
    if (this.#ownership.confirmedByApi === Number.NEGATIVE_INFINITY || !late || now < this.#nextAskAt) return;
    this.#nextAskAt = now + 500;
    const ask = { askedAt: clock, trueAskedAt: now, vouchers: new Set<string>() };
    this.#asks.push(ask);
    const alive = new Set(this.#ownership.view.alive().map((record) => record.node));
    this.#cluster.sendAsk(this.#index, this.name, this.#ownership.renewal, alive, now, (voucher) =>
      ask.vouchers.add(voucher),
    );
  }
}

/** Agents' decisions on simulated clocks, networks, kernels and an API server. */
export class SimulatedCluster {
  readonly api = new SimulatedApi();
  readonly virtuals: VirtualAddress[];
  readonly clockRates: readonly number[];
  readonly random: () => number;
  readonly apiOutage: 'Keep' | 'Fence';
  readonly nodes: SimulatedNode[];
  readonly inFlight: { node: number; commitAt: number; record: MemberRecord; from: number }[] = [];
  now = 0;
  readonly #faults: readonly Fault[];
  #messages: { at: number; deliver: () => void }[] = [];

  constructor(options: Cluster, addresses: readonly string[]) {
    this.#faults = options.faults;
    this.clockRates = options.clockRates;
    this.random = options.random;
    this.apiOutage = options.apiOutage ?? 'Keep';
    this.virtuals = addresses.map((address) => ({ address, localServices: [], loadBalancers: [] }));
    this.nodes = Array.from({ length: options.nodes }, (_, i) => new SimulatedNode(this, i));
  }

  /** Runs to that time; `check` is called after each step. */
  runTo(end: number, check: () => void): void {
    for (; this.now < end; this.now += STEP_MS) {
      const due = this.#messages.filter((message) => message.at <= this.now);
      this.#messages = this.#messages.filter((message) => message.at > this.now);
      for (const message of due) message.deliver();
      for (const [i, node] of this.nodes.entries()) {
        if (
          this.#faults.some(
            (f) => f.kind === 'restarted' && f.node === i && Math.abs(f.at - this.now) < STEP_MS / 2,
          )
        ) {
          node.restart();
        }
        node.step(this.now);
      }
      check();
    }
  }

  owners(address: string): string[] {
    return this.nodes.filter((node) => node.answersFor(address, this.now)).map((node) => node.name);
  }

  preferred(address: string): string | undefined {
    const virtual = this.virtuals.find((each) => each.address === address);
    const candidates = this.nodes.map((node) => ({ node: node.name, labels: {}, interfaces: INTERFACES }));
    return virtual && chooseOwner(virtual, candidates, () => new Set()).owner;
  }

  delay(most: number): number {
    return this.random() * most;
  }

  isFaulty(kind: Fault['kind'], node: number, at: number): boolean {
    return this.#faults.some((f) => f.kind === kind && f.node === node && at >= f.at && at < f.at + f.ms);
  }

  reachesApi(node: number, at: number): boolean {
    if (this.#faults.some((f) => f.kind === 'apiDown' && at >= f.at && at < f.at + f.ms)) return false;
    return !this.isFaulty('cutFromApi', node, at) && !this.#splits(at).some((side) => (side >> node) & 1);
  }

  #splits(at: number): number[] {
    return this.#faults
      .filter((f) => f.kind === 'split' && at >= f.at && at < f.at + f.ms)
      .map((f) => f.node);
  }

  /** Datagrams: may be delayed, are lost where a node is isolated, wait while a process is paused. */
  sendAsk(
    from: number,
    name: string,
    renewal: Renewal,
    to: ReadonlySet<string>,
    now: number,
    onVouch: (node: string) => void,
  ): void {
    for (const [i, node] of this.nodes.entries()) {
      if (i === from || !to.has(node.name) || this.random() < 0.05) continue;
      this.#post(from, i, now, () => {
        if (node.vouch(name, renewal, this.now)) this.#post(i, from, this.now, () => onVouch(node.name));
      });
    }
  }

  #post(from: number, to: number, now: number, deliver: () => void): void {
    const at = now + this.delay(this.random() < 0.05 ? 800 : 10);
    const attempt = () => {
      if ([from, to].some((end) => this.isFaulty('isolated', end, this.now))) return;
      if (this.#splits(this.now).some((side) => ((side >> from) & 1) !== ((side >> to) & 1))) return;
      if (this.isFaulty('paused', to, this.now))
        this.#messages.push({ at: this.now + STEP_MS, deliver: attempt });
      else deliver();
    };
    this.#messages.push({ at, deliver: attempt });
  }
}
