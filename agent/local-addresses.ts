import { networkInterfaces } from 'node:os';
import type { Logger } from '../kube/log.ts';
import { readAddresses } from './announce/node-interfaces.ts';
import { canonicalAddress } from './endpoints/canonical-address.ts';

/** The addresses of this machine, and a word when they change. */
export interface LocalAddressSource {
  readonly all: readonly string[];
  /** Answers what ends it. */
  onChange(listener: () => void): () => void;
}

/** Addresses come and go without a word. This look takes a fraction of a millisecond; only what it finds takes a process. */
const LOOK_MS = 2_000;

/**
 * Every address of every interface, loopback among them, as text that nft prints. Also those of links without carrier, which
 * Node's `networkInterfaces` leaves out: a switch that restarts takes nothing away that was served there.
 */
export class LocalAddresses implements LocalAddressSource {
  readonly #log: Logger;
  readonly #read: () => Promise<{ address: string }[]>;
  readonly #listeners = new Set<() => void>();
  #all: readonly string[] = [];
  #seen = '';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(log: Logger, read: () => Promise<{ address: string }[]> = readAddresses) {
    this.#log = log;
    this.#read = read;
  }

  get all(): readonly string[] {
    return this.#all;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const seen = JSON.stringify(networkInterfaces());
    if (seen === this.#seen) return;
    try {
      const texts = (await this.#read()).flatMap(({ address }) => canonicalAddress(address)?.text ?? []);
      const all = [...new Set(texts)].sort();
      this.#seen = seen;
      if (all.join() === this.#all.join()) return;
      this.#all = all;
    } catch (error) {
      // What was there is believed to be there still.
      this.#log.warn('AddressesUnknown', { error });
      return;
    }
    for (const listener of this.#listeners) listener();
  }
}
