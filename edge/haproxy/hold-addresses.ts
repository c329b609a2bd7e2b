import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { runCommand, runOrThrow } from '../../kube/run-command.ts';
import { writeFileWhole } from '../write-file-whole.ts';

const recordSchema = z.array(z.object({ address: z.string(), device: z.string() }));
type Held = z.infer<typeof recordSchema>[number];

/** What somebody took off is missed within this time. */
const LOOK_AGAIN_MS = 5_000;
const TOLD_AT_ONCE = 8;

/**
 * Addresses that this edge added to an interface. Each is written to a file before it is added, so that a later life knows
 * which to take off again, and never takes off one that was there before.
 */
export class HeldAddresses {
  readonly #file: string;
  #held: Held[];
  /** What was looked at last, and when. */
  #looked = { at: Number.NEGATIVE_INFINITY, wanted: '' };

  constructor(file: string) {
    this.#file = file;
    this.#held = readRecord(file);
  }

  get list(): string[] {
    return this.#held.map(({ address }) => address);
  }

  /** Adds what is missing, and tells the neighbours. Without a device nothing is added. Throws when `ip` refuses. */
  async add(addresses: readonly string[], device: string | undefined): Promise<void> {
    if (device === undefined) return;
    const wanted = `${device} ${addresses.join(' ')}`;
    const now = performance.now();
    if (this.#looked.wanted === wanted && now - this.#looked.at < LOOK_AGAIN_MS) return;
    await this.#addMissing(addresses, device);
    this.#looked = { at: now, wanted };
  }

  async #addMissing(addresses: readonly string[], device: string): Promise<void> {
    const there = new Set(await readAddresses());
    const missing = addresses.filter((address) => !there.has(canonical(address)));
    if (missing.length === 0) return;
    this.#write([
      ...this.#held.filter(({ address }) => !missing.includes(address)),
      ...missing.map((address) => ({ address, device })),
    ]);
    const lines = missing.map((address) => {
      const nodad = address.includes(':') ? ' nodad' : '';
      return `address replace ${hostPrefix(address)} dev ${device}${nodad}`;
    });
    await runOrThrow('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
    // Whoever knew another machine for it learns at once. Nobody waits for that, and it may fail.
    void tellNeighbours(
      missing.filter((each) => !each.includes(':')),
      device,
    );
  }

  /** Takes off those of ours that aren't wanted any more, on that device. */
  async keepOnly(addresses: readonly string[], device: string | undefined): Promise<void> {
    const wanted = new Set(device === undefined ? [] : addresses);
    const leaving = this.#held.filter((held) => !wanted.has(held.address) || held.device !== device);
    if (leaving.length === 0) return;
    const lines = leaving.map(({ address, device: on }) => `address delete ${hostPrefix(address)} dev ${on}`);
    // What is gone already is no reason to keep the others.
    await runCommand('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    this.#write(this.#held.filter((held) => !leaving.includes(held)));
  }

  #write(held: Held[]): void {
    if (JSON.stringify(held) === JSON.stringify(this.#held)) return;
    writeFileWhole(this.#file, JSON.stringify(held));
    this.#held = held;
  }
}

/** Some at once: a process each is much for hundreds. */
async function tellNeighbours(addresses: readonly string[], device: string): Promise<void> {
  for (let from = 0; from < addresses.length; from += TOLD_AT_ONCE) {
    const some = addresses.slice(from, from + TOLD_AT_ONCE);
    await Promise.all(
      some.map((address) => runCommand('arping', ['-q', '-c', '1', '-A', '-I', device, address])),
    );
  }
}

function readRecord(file: string): Held[] {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}

async function readAddresses(): Promise<string[]> {
  const links: unknown = JSON.parse(await runOrThrow('ip', ['-j', 'address', 'show']));
  return linksSchema
    .parse(links)
    .flatMap(({ addr_info }) => addr_info.map(({ local }) => canonical(local ?? '')));
}

const linksSchema = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.string().optional() })).default([]) }),
);

function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
