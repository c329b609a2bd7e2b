import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileWhole } from './write-file-whole.ts';

const recordSchema = z.record(z.string(), z.number());

/**
 * Since when servers leave, by their names for the Runtime API, in seconds of this machine's uptime. HAProxy doesn't know: one
 * that was DOWN before it got into maintenance goes on counting from then. In a file, so that a later life of the edge neither
 * forgets nor shortens it.
 */
export class LeavingServers {
  readonly #file: string;
  #since: ReadonlyMap<string, number> = new Map();

  constructor(file: string) {
    this.#file = file;
    try {
      this.#since = new Map(Object.entries(recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')))));
    } catch {
      // The first life: whoever leaves by now has all of its time before it.
    }
  }

  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  /** Before the worker is told: nobody is in maintenance without its time in the file. */
  set(since: ReadonlyMap<string, number>): void {
    const isSame =
      since.size === this.#since.size && [...since].every(([path, at]) => this.#since.get(path) === at);
    if (isSame) return;
    writeFileWhole(this.#file, JSON.stringify(Object.fromEntries(since)));
    this.#since = since;
  }
}
