import type { Logger } from '../../kube/log.ts';
import type { ChainTally } from './chain-tally.ts';
import { TABLE } from './model.ts';
import { type Nft, throwUnlessRefused } from './run-nft.ts';

export interface ChainCollectorOptions {
  chains: ChainTally;
  nft: Nft;
  log: Logger;
  /** A change waits for the kernel. */
  isWaiting: () => boolean;
  /** The kernel holds the chains of the tally, as far as is known. */
  isCertain: () => boolean;
  /** Runs work while no transaction does. */
  exclusively: (work: () => Promise<void>) => Promise<void>;
  /** Some of them can't be deleted now. */
  onChainsBusy?: () => void;
}

/** Between goes, and after the change that left a chain. */
const GAP_MS = 200;
/** Changes go first, but not for ever: so often. */
const LONGEST_POSTPONEMENT = 2;
/** Rules, or what takes as long, that one go deletes: some 20 ms of the kernel's time. */
const MOST_WEIGHT = 8_000;
/** Or this share of the chains, so that there is an end to them however fast they are left. */
const LEAST_SHARE = 1 / 16;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** After so many in a row that were refused alone, others are hardly better off. */
const MOST_STUCK = 10;

/**
 * Deletes chains that nothing leads to any more, soon after they were left, in small goes off the path of changes: endpoints
 * of one Service with affinity that come and go leave thousands of rules a second, and every transaction and listing takes
 * the longer the more chains there are.
 */
export class ChainCollector {
  readonly #options: ChainCollectorOptions;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #stopped = false;
  #postponed = 0;
  #weight = MOST_WEIGHT;
  #retryMs = FIRST_RETRY_MS;
  /** Chains in a row that were refused alone. */
  #stuck = 0;

  constructor(options: ChainCollectorOptions) {
    this.#options = options;
  }

  /** There may be some. Returns at once. */
  schedule(): void {
    if (this.#running || this.#timer !== undefined) return;
    this.#startTimer(GAP_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #startTimer(ms: number): void {
    if (this.#stopped || this.#options.chains.unused === 0) return;
    this.#timer = setTimeout(() => void this.#takeTurn(), ms);
  }

  async #takeTurn(): Promise<void> {
    this.#timer = undefined;
    const { isWaiting, exclusively, log } = this.#options;
    if (isWaiting() && this.#postponed < LONGEST_POSTPONEMENT) {
      this.#postponed++;
      this.#startTimer(GAP_MS);
      return;
    }
    this.#postponed = 0;
    this.#running = true;
    let nextMs = GAP_MS;
    try {
      await exclusively(async () => {
        nextMs = await this.#collect();
      });
    } catch (error) {
      log.warn('ChainsNotCollected', { error });
      nextMs = this.#slowDown();
    }
    this.#running = false;
    this.#startTimer(nextMs);
  }

  /** Answers when to go on. */
  async #collect(): Promise<number> {
    const { chains, nft, isCertain, log, onChainsBusy } = this.#options;
    // What failed is about to be written anew, and the tally with it.
    if (this.#stopped || !isCertain()) return FIRST_RETRY_MS;
    const least = this.#weight < MOST_WEIGHT ? 1 : Math.max(1, chains.unused * LEAST_SHARE);
    const some = chains.listUnused(this.#weight, least);
    if (some.length === 0) return GAP_MS;
    const lines = some.map((chain) => `delete chain ${chain.replace(' ', ` ${TABLE} `)}`);
    try {
      await nft({ args: ['-f', '-'], input: `${lines.join('\n')}\n` });
    } catch (error) {
      throwUnlessRefused(error);
      log.debug('ChainsBusy', { chains: some.length, error });
      onChainsBusy?.();
      chains.postpone(some);
      return this.#slowDown();
    }
    chains.forget(some);
    this.#weight = MOST_WEIGHT;
    this.#retryMs = FIRST_RETRY_MS;
    this.#stuck = 0;
    return GAP_MS;
  }

  /** One of them may be what stands in the way of the others: it is found by going in fewer. */
  #slowDown(): number {
    if (this.#weight > 1) {
      this.#weight = Math.max(1, this.#weight / 16);
      return GAP_MS;
    }
    if (++this.#stuck < Math.min(this.#options.chains.unused, MOST_STUCK)) return GAP_MS;
    this.#stuck = 0;
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    return retryMs;
  }
}
