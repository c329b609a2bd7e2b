import { setTimeout as sleep } from 'node:timers/promises';
import { TokenBucket } from '../../kube/token-bucket.ts';

/** A run of nft costs some 10 ms of CPU, however little it changes: so many of them take a fifth of a core. */
const PER_SECOND = 20;
const BURST = 5;

/**
 * When the next transaction may begin. Single changes, and a few in a row, go at once; under changes that don't end, those
 * of 50 ms go together.
 */
export class Pace {
  readonly #tokens: TokenBucket;

  constructor(tokens: TokenBucket = new TokenBucket(PER_SECOND, BURST)) {
    this.#tokens = tokens;
  }

  async next(): Promise<void> {
    const seconds = this.#tokens.take();
    if (seconds > 0) await sleep(seconds * 1000);
  }
}
