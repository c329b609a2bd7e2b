import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sleep } from '../../../support/eventually.ts';

/** `add element ip fairlead services ...`, `delete table arp fairlead-announce`; a generation names only who wrote. */
const OWN =
  /^(add|delete|replace|insert|flush|reset) \S+ (ip|ip6|arp) fairlead(-announce)?\b|^# new generation/;
const SETTLE_MS = 500;

/** Looks on while rules of a node change. */
export class RuleMonitor {
  readonly #child: ChildProcess;
  readonly #foreign: string[] = [];
  #lines = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('nft monitor has no output');
    createInterface(child.stdout).on('line', (line) => {
      this.#lines++;
      if (!OWN.test(line)) this.#foreign.push(line);
    });
  }

  static async start(netns: string): Promise<RuleMonitor> {
    const child = spawn('ip', ['netns', 'exec', netns, 'nft', 'monitor'], {
      // It warns of elements in sets that were made after it began.
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const monitor = new RuleMonitor(child);
    await sleep(SETTLE_MS);
    return monitor;
  }

  /** Lines that tell of a change of what isn't ours. Throws when it saw nothing at all. */
  async end(): Promise<string[]> {
    await sleep(SETTLE_MS);
    const isAlive = this.#child.exitCode === null;
    this.#child.kill('SIGKILL');
    if (!isAlive || this.#lines === 0) throw new Error('nft monitor saw nothing');
    return this.#foreign;
  }
}
