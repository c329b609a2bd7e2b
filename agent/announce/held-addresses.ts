import type { Logger } from '../../kube/log.ts';
import { GuardTable, renderAlive, renderHeld } from './guard-table.ts';
import { KernelHelper } from './kernel-helper.ts';
import { readAddresses } from './node-interfaces.ts';

/**
 * The kernel takes an address away that wasn't refreshed for so long. The guard has silenced it long before; this is so that
 * a node whose agent is gone for good doesn't keep it.
 */
const LIFETIME_SECONDS = 60;
export const REFRESH_MS = 20_000;

/** One line for `ip -batch`. A host route's worth of address: no route, no duplicate detection, never a source (IPv6). */
export function renderAddress(verb: 'replace' | 'delete', address: string, device: string): string {
  if (verb === 'delete') return `address delete ${hostPrefix(address)} dev ${device}`;
  const preferred = address.includes(':') ? 0 : LIFETIME_SECONDS;
  const nodad = address.includes(':') ? ' nodad' : '';
  return `address replace ${hostPrefix(address)} dev ${device} valid_lft ${LIFETIME_SECONDS} preferred_lft ${preferred} noprefixroute${nodad}`;
}

function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** The held addresses on this node's interfaces. Calls must not overlap. */
export class HeldAddresses {
  readonly #log: Logger;
  readonly #guard = new GuardTable();
  readonly #kernel = new KernelHelper();
  /** Address and device, as far as we know; more than is really there after a failure, never less. */
  readonly #present = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get present(): ReadonlyMap<string, string> {
    return this.#present;
  }

  /** Finds what an earlier life left. @throws Error when the kernel can't guard addresses. */
  async open(): Promise<void> {
    await this.#guard.open();
    const guarded = new Set(await this.#guard.held());
    const gone = new Set(guarded);
    for (const { address, device } of await readAddresses()) {
      if (!guarded.has(address)) continue;
      this.#present.set(address, device);
      gone.delete(address);
    }
    if (gone.size > 0) await this.#change(renderHeld('delete', [...gone]), []);
  }

  /** Lets the node answer no more, at once. */
  async silence(): Promise<void> {
    await this.#setGuard(0, [], []);
  }

  /** Removes what isn't in `target` (address to device). */
  async removeOthers(target: ReadonlyMap<string, string>): Promise<void> {
    const leaving = [...this.#present].filter(([address, device]) => target.get(address) !== device);
    if (leaving.length === 0) return;
    await this.#change(
      '',
      leaving.map(([address, device]) => renderAddress('delete', address, device)),
    );
    const stuck = await this.#stillThere(leaving);
    const gone = leaving.map(([address]) => address).filter((address) => !stuck.has(address));
    for (const address of gone) this.#present.delete(address);
    // Not before: without its guard an address would be answered for.
    if (gone.length > 0) await this.#change(renderHeld('delete', gone), []);
    if (stuck.size > 0) throw new Error(`ip did not remove ${[...stuck].join(', ')}`);
  }

  /**
   * Lets the node answer for `target` until then (`performance.now()`), and puts on what is missing: `added`. Not all of it is
   * there where it isn't `complete`.
   */
  async answerFor(
    target: ReadonlyMap<string, string>,
    until: number,
  ): Promise<{ added: string[]; complete: boolean }> {
    const missing = [...target].filter(([address]) => !this.#present.has(address));
    const addresses = missing.map(([address]) => address);
    // Before anything is waited for: from now on our Lease must claim them.
    for (const [address, device] of missing) this.#present.set(address, device);
    const complete = await this.#setGuard(
      until,
      addresses,
      missing.map(([address, device]) => renderAddress('replace', address, device)),
    );
    return { added: addresses, complete };
  }

  /** Whether somebody took one of ours away. */
  async anyMissing(): Promise<boolean> {
    if (this.#present.size === 0) return false;
    const there = new Set((await readAddresses()).map(({ address, device }) => `${address} ${device}`));
    return [...this.#present].some(([address, device]) => !there.has(`${address} ${device}`));
  }

  /** Renews the lifetimes of all, and puts back what somebody took away. */
  async refresh(): Promise<void> {
    await this.#change(
      '',
      [...this.#present].map(([address, device]) => renderAddress('replace', address, device)),
    );
  }

  async close(): Promise<void> {
    if (this.#present.size === 0) await this.#guard.close();
  }

  /** Then changes addresses, by `lines` for ip; answers whether it did all of them. */
  async #setGuard(until: number, added: readonly string[], lines: readonly string[]): Promise<boolean> {
    // At each try anew: one that failed may have taken its time.
    const alive = () => renderAlive(until - performance.now());
    try {
      return await this.#change(renderHeld('add', added) + alive(), lines);
    } catch (error) {
      // Someone flushed all rules: nothing guards the addresses until the tables are there again.
      this.#log.warn('GuardLost', { error });
      await this.#guard.open();
      return await this.#change(renderHeld('add', [...this.#present.keys()]) + alive(), lines);
    }
  }

  async #change(guard: string, lines: readonly string[]): Promise<boolean> {
    const complaint = await this.#kernel.change(guard, lines);
    // It goes on after a failure; a delete of what is gone already is one.
    if (complaint !== '') this.#log.debug('IpBatchIncomplete', { complaint: complaint.slice(0, 2000) });
    return complaint === '';
  }

  async #stillThere(leaving: readonly (readonly [string, string])[]): Promise<Set<string>> {
    const there = new Set((await readAddresses()).map(({ address, device }) => `${address} ${device}`));
    return new Set(
      leaving.filter(([address, device]) => there.has(`${address} ${device}`)).map(([address]) => address),
    );
  }
}
