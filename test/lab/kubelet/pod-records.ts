import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRecord } from './container-runner.ts';

/** What the kubelet has to know of a pod that an earlier life of it started. */
export interface PodRecord {
  uid: string;
  /** `namespace/name`. */
  key: string;
  /** Network namespace and address slot, and whether they were wholly set up; none for a pod of the host's network. */
  network?: { namespace: string; slot: number; complete: boolean };
  startTime: string;
  containers: Record<string, ContainerRecord>;
}

/** One file a pod. Synchronous: what was started is on record before anything else happens. */
export class PodRecords {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  list(): PodRecord[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(this.#dir, name), 'utf8')));
  }

  save(record: PodRecord): void {
    const file = this.#file(record.uid);
    writeFileSync(`${file}.new`, JSON.stringify(record));
    renameSync(`${file}.new`, file);
  }

  remove(uid: string): void {
    rmSync(this.#file(uid), { force: true });
  }

  #file(uid: string): string {
    return join(this.#dir, `${uid}.json`);
  }
}
