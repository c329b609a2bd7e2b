import { fileURLToPath } from 'node:url';
import type { Logger } from '../../kube/log.ts';
import { runCommand } from '../../kube/run-command.ts';
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

/** Tells the neighbours where addresses are now, several times: any single frame can get lost. */
export class Advertiser {
  readonly #log: Logger;
  readonly #atMs: readonly number[];
  readonly #interfaces: () => readonly LocalInterface[];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(log: Logger, atMs: readonly number[], interfaces: () => readonly LocalInterface[]) {
    this.#log = log;
    this.#atMs = atMs;
    this.#interfaces = interfaces;
  }

  /** `stillHeld` is asked before each round (address to device): what was given away meanwhile must not be announced. */
  start(addresses: readonly string[], stillHeld: () => ReadonlyMap<string, string>): void {
    if (addresses.length === 0) return;
    for (const delay of this.#atMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        const held = stillHeld();
        const round = new Map(
          addresses.flatMap((address) => {
            const device = held.get(address);
            return device === undefined ? [] : [[address, device] as const];
          }),
        );
        void this.#send(renderAdvertisements(round, this.#interfaces()));
      }, delay);
      this.#timers.add(timer);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #send(input: string): Promise<void> {
    if (input === '') return;
    const result = await runCommand('perl', [SCRIPT], { input });
    if (result.status !== 0 || result.stderr !== '')
      this.#log.warn('AdvertisementFailed', { stderr: result.stderr });
  }
}
