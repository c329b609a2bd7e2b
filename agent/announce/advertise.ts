import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../kube/log.ts';
import type { LocalInterface } from './node-interfaces.ts';

const SCRIPT = fileURLToPath(new URL('send-neighbours.pl', import.meta.url));

/** Input of send-neighbours.pl: one line an address whose interface is up. */
export function renderAdvertisements(
  addresses: ReadonlyMap<string, string>,
  interfaces: readonly LocalInterface[],
): string {
  const byName = new Map(interfaces.map((entry) => [entry.name, entry]));
  let lines = '';
  for (const [address, device] of addresses) {
    const entry = byName.get(device);
    if (entry !== undefined) lines += `${entry.index} ${entry.mac} ${address}\n`;
  }
  return lines;
}

type Sender = ChildProcessByStdio<Writable, null, Readable>;

/**
 * Tells the neighbours where addresses are now, several times: any single frame can get lost. By a process that stays: the
 * first frame is what a client waits for that asked too early, and would come as much later as a new process takes.
 */
export class Advertiser {
  readonly #log: Logger;
  readonly #atMs: readonly number[];
  readonly #interfaces: () => readonly LocalInterface[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #sender: Sender | undefined;

  constructor(log: Logger, atMs: readonly number[], interfaces: () => readonly LocalInterface[]) {
    this.#log = log;
    this.#atMs = atMs;
    this.#interfaces = interfaces;
  }

  /** `stillHeld` is asked before each round (address to device): what was given away meanwhile must not be announced. */
  start(addresses: readonly string[], stillHeld: () => ReadonlyMap<string, string>): void {
    if (addresses.length === 0) return;
    const send = () => {
      const held = stillHeld();
      const round = new Map(
        addresses.flatMap((address) => {
          const device = held.get(address);
          return device === undefined ? [] : [[address, device] as const];
        }),
      );
      this.#send(renderAdvertisements(round, this.#interfaces()));
    };
    for (const delay of this.#atMs) {
      if (delay === 0) {
        send();
        continue;
      }
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        send();
      }, delay);
      this.#timers.add(timer);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#sender?.stdin.end();
    this.#sender = undefined;
  }

  #send(input: string): void {
    if (input === '') return;
    this.#sender ??= this.#startSender();
    this.#sender.stdin.write(input);
  }

  #startSender(): Sender {
    const sender = spawn('perl', [SCRIPT], { stdio: ['pipe', 'ignore', 'pipe'] });
    const end = (stderr: string) => {
      // The next round starts another: that one frame is lost is what the rounds are for.
      if (this.#sender !== sender) return;
      this.#sender = undefined;
      this.#log.warn('AdvertisementFailed', { stderr });
    };
    sender.stderr.on('data', (chunk: Buffer) => {
      this.#log.warn('AdvertisementFailed', { stderr: chunk.toString('utf8').trim() });
    });
    // Its end tells more than a broken pipe.
    sender.stdin.on('error', () => {});
    sender.once('error', (error) => end(error.message));
    sender.once('exit', (code, signal) => end(`ended with ${signal ?? code}`));
    return sender;
  }
}
