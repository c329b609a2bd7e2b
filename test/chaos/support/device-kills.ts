import type { BigIpPeer } from '../../peers/bigip/bigip-peer.ts';
import { sleep } from '../../support/eventually.ts';
import type { Random } from './random.ts';

const ENDINGS = ['lost', 'applied', 'unsaved'] as const;
/** For a declaration to be under way. */
const PATIENCE_MS = 150;

/**
 * Ends a BIG-IP's processes as power cuts and upgrades do: what was under way is lost, done, or done and not noted. Of a pair
 * the other unit may be active then.
 */
export class DeviceKills {
  readonly #peer: BigIpPeer;
  readonly #random: Random;
  count = 0;
  /** Of these, in the middle of a declaration. */
  inDeclarations = 0;

  constructor(peer: BigIpPeer, random: Random) {
    this.#peer = peer;
    this.#random = random;
  }

  async kill(): Promise<void> {
    this.count++;
    const random = this.#random;
    const { active } = this.#peer;
    if (random.next() < 0.7) {
      // Best in the middle of something.
      const deadline = performance.now() + PATIENCE_MS;
      while (!active.as3.isRunning && performance.now() < deadline) await sleep(2);
    }
    if (active.as3.isRunning) this.inDeclarations++;
    const inFlight = random.pick(ENDINGS) ?? 'lost';
    // Rarely: what comes back with a page of "restarting" is left alone for ten seconds.
    const downMs = random.next() < 0.1 ? random.between(1, 100) : 0;
    active.restart({ inFlight, downMs, keepTokens: random.next() < 0.3 });
    if (random.next() < 0.2) this.#peer.failOver();
    if (random.next() < 0.1) {
      await active.unplug();
      await sleep(random.between(1, 100));
      await active.listen();
    }
  }
}
