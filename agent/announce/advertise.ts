import { type ChildProcess, spawn } from 'node:child_process';
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

/** Frames that were held up tell of what may be another's by now: a process that hangs is ended, with what it has not sent. */
const HANGS_MS = 1_000;

/**
 * Tells the neighbours where addresses are now, several times: any single frame can get lost. By a process that stays: the
 * first frame is what a client waits for that asked too early, and would come as much later as a new process takes.
 */
export class Advertiser {
  readonly #log: Logger;
  readonly #atMs: readonly number[];
  readonly #interfaces: () => readonly LocalInterface[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #sender: ChildProcess | undefined;
  /** Rounds that it has not said to be sent. */
  #unsent = 0;
  #hanging: NodeJS.Timeout | undefined;

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
    this.#drop();
  }

  #send(input: string): void {
    if (input === '') return;
    this.#sender ??= this.#startSender();
    this.#sender.stdin?.write(`${input}\n`);
    this.#unsent++;
    this.#watch();
  }

  /** From the oldest round that it has not sent. */
  #watch(): void {
    this.#hanging ??= setTimeout(() => {
      this.#log.warn('AdvertisementFailed', { stderr: `nothing was sent for ${HANGS_MS} ms` });
      this.#drop();
    }, HANGS_MS);
  }

  #heard(rounds: number): void {
    this.#unsent -= rounds;
    clearTimeout(this.#hanging);
    this.#hanging = undefined;
    if (this.#unsent > 0) this.#watch();
  }

  /** The next round starts another: that one frame is lost is what the rounds are for. */
  #drop(): void {
    clearTimeout(this.#hanging);
    this.#hanging = undefined;
    this.#unsent = 0;
    this.#sender?.kill('SIGKILL');
    this.#sender = undefined;
  }

  #startSender(): ChildProcess {
    const sender: ChildProcess = spawn('perl', [SCRIPT], { stdio: 'pipe' });
    const end = (stderr: string) => {
      if (this.#sender !== sender) return;
      this.#log.warn('AdvertisementFailed', { stderr });
      this.#drop();
    };
    // First: without file descriptors left there are no pipes, either.
    sender.once('error', (error) => end(error.message));
    sender.once('exit', (code, signal) => end(`ended with ${signal ?? code}`));
    sender.stdout?.on('data', (chunk: Buffer) => {
      if (this.#sender === sender) this.#heard(chunk.length);
    });
    sender.stderr?.on('data', (chunk: Buffer) => {
      this.#log.warn('AdvertisementFailed', { stderr: chunk.toString('utf8').trim() });
    });
    // Its end tells more than a broken pipe.
    sender.stdin?.on('error', () => {});
    return sender;
  }
}
