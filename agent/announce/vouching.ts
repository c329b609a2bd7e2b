import type { Logger } from '../../kube/log.ts';
import type { Ownership } from './ownership.ts';
import { Peers } from './peers.ts';
import type { AnnounceTimes } from './times.ts';

export interface VouchingOptions {
  self: string;
  /** This node's own addresses. */
  addresses: readonly string[];
  port: number;
  /** Ours, as published in our Lease. */
  key: string;
  times: AnnounceTimes;
  ownership: Ownership;
  /** What we hold is valid for longer. */
  onVouched: () => void;
  log: Logger;
}

/** How often the way to the other members is tried while it isn't needed. */
const REHEARSE_MS = 60_000;

/** Asks the other members to vouch for us when the API server hasn't confirmed us for longer than that should take. */
export class Vouching {
  readonly #options: VouchingOptions;
  readonly #peers: Peers;
  #asking = false;
  #rehearsedAt = performance.now();
  #rehearsal: boolean | undefined;
  #closed = false;

  constructor(options: VouchingOptions) {
    const { self, addresses, port, key, ownership, log } = options;
    this.#options = options;
    this.#peers = new Peers({
      self,
      addresses,
      port,
      key,
      contactOf: (member) => ownership.view.get(member)?.peer,
      vouchFor: (member, renewal) => ownership.view.vouchFor(member, renewal, performance.now()),
      renewal: () => ownership.renewal,
      log,
    });
  }

  async open(): Promise<void> {
    await this.#peers.open();
  }

  close(): void {
    this.#closed = true;
    this.#peers.close();
  }

  /** Several times between two renewals. */
  tick(): void {
    const now = performance.now();
    const { times, ownership } = this.#options;
    if (this.#closed || ownership.confirmedByApi === Number.NEGATIVE_INFINITY) return;
    if (now - ownership.confirmedByApi > times.renewMs * 1.3) void this.#ask(now);
    else if (now - this.#rehearsedAt > REHEARSE_MS) void this.#rehearse(now);
  }

  async #ask(askedAt: number): Promise<void> {
    const { times, ownership } = this.#options;
    const gainMs = askedAt + times.fenceMs - ownership.deadline;
    if (this.#asking || gainMs < times.renewMs / 2) return;
    this.#asking = true;
    const vouched = await this.#askAll(askedAt);
    this.#asking = false;
    if (!vouched || this.#closed) return;
    ownership.vouchedFor(askedAt);
    this.#options.onVouched();
  }

  async #rehearse(now: number): Promise<void> {
    this.#rehearsedAt = now;
    const vouched = await this.#askAll(now);
    if (!vouched && this.#rehearsal !== false && !this.#closed) {
      const effect = 'without the API server this node would fall silent';
      this.#options.log.warn('MembersUnreachable', { port: this.#options.port, effect });
    }
    this.#rehearsal = vouched;
  }

  #askAll(askedAt: number): Promise<boolean> {
    const { self, times, ownership } = this.#options;
    const nodes = ownership.view
      .alive()
      .map((record) => record.node)
      .filter((node) => node !== self);
    return this.#peers.ask(nodes, ownership.vouchersNeeded(askedAt), askedAt, times.renewMs / 2);
  }
}
