import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../kube/log.ts';
import { askMaster, askWorker } from './master-socket.ts';
import { readFailedReloads, readInfo, type WorkerInfo } from './read-state.ts';

/** Where an edge keeps what it and its HAProxy share; the paths are in HAProxy's command line. */
export interface EdgeFiles {
  config: string;
  candidate: string;
  loaded: string;
  leaving: string;
  leavingOld: string;
  addresses: string;
  /** A folder. */
  certificates: string;
  socket: string;
  pid: string;
  log: string;
}

export function edgeFiles(folder: string): EdgeFiles {
  return {
    config: `${folder}/haproxy.cfg`,
    candidate: `${folder}/candidate.cfg`,
    loaded: `${folder}/loaded.json`,
    leaving: `${folder}/leaving.json`,
    leavingOld: `${folder}/leaving-old.json`,
    addresses: `${folder}/addresses.json`,
    certificates: `${folder}/certificates`,
    socket: `${folder}/master.sock`,
    pid: `${folder}/haproxy.pid`,
    log: `${folder}/haproxy.log`,
  };
}

const LONGEST_LOG = 4 * 1024 * 1024;
const LONGEST_START_MS = 15_000;
const LONGEST_RELOAD_MS = 20_000;
const POLL_MS = 20;

/** The HAProxy of this edge: a process of its own, which outlives the edge and is found again. */
export class HaproxyProcess {
  readonly #program: string;
  readonly #files: EdgeFiles;
  readonly #log: Logger;

  constructor(program: string, files: EdgeFiles, log: Logger) {
    this.#program = program;
    this.#files = files;
    this.#log = log;
  }

  /** What runs now; undefined: nobody answers. */
  async info(): Promise<WorkerInfo | undefined> {
    try {
      return readInfo(await askWorker(this.#files.socket, 'show info'));
    } catch {
      return undefined;
    }
  }

  /** Finds the one that runs, or starts one with the file as it is. Throws when it doesn't come up. */
  async ensure(): Promise<WorkerInfo> {
    const found = await this.info();
    if (found !== undefined) return found;
    const deadline = performance.now() + LONGEST_START_MS;
    // A master that is there takes its time now and then: two on the same addresses would be worse than none.
    while (this.#isAlive() && performance.now() < deadline) {
      await sleep(POLL_MS * 5);
      const late = await this.info();
      if (late !== undefined) return late;
    }
    if (this.#isAlive()) throw new Error('HAProxy runs, and does not answer at its master socket');
    this.#start();
    while (performance.now() < deadline) {
      await sleep(POLL_MS);
      const info = await this.info();
      if (info !== undefined) {
        this.#log.info('HaproxyStarted', { pid: info.pid, version: info.version });
        return info;
      }
    }
    throw new Error(`HAProxy did not start: ${this.#lastWords()}`);
  }

  /**
   * Lets the master take in the file. Resolves once the worker says `description` of itself; throws when the master went on
   * with the worker that it had, with what it said.
   */
  async reload(description: string): Promise<WorkerInfo> {
    const { log, socket } = this.#files;
    if (sizeOf(log) > LONGEST_LOG) truncateSync(log);
    const from = sizeOf(log);
    const before = await this.#failedReloads();
    await askMaster(socket, 'reload');
    const deadline = performance.now() + LONGEST_RELOAD_MS;
    while (performance.now() < deadline) {
      await sleep(POLL_MS);
      const info = await this.info();
      if (info?.description === description) return info;
      const failed = info === undefined ? before : await this.#failedReloads();
      if (failed > before) throw new Error(this.#lastWords(from));
    }
    throw new Error(`HAProxy did not finish a reload: ${this.#lastWords(from)}`);
  }

  async #failedReloads(): Promise<number> {
    try {
      return readFailedReloads(await askMaster(this.#files.socket, 'show proc')) ?? 0;
    } catch {
      return 0;
    }
  }

  #start(): void {
    const { config, log, pid, socket } = this.#files;
    if (sizeOf(log) > LONGEST_LOG) truncateSync(log);
    const output = openSync(log, 'a', 0o600);
    try {
      const child = spawn(this.#program, ['-W', '-S', `${socket},mode,600`, '-p', pid, '-f', config], {
        // A session of its own: what ends the edge doesn't end it.
        detached: true,
        stdio: ['ignore', output, output],
      });
      child.on('error', (error) => this.#log.error('HaproxyNotStarted', { error }));
      child.unref();
    } finally {
      closeSync(output);
    }
  }

  /** Whether the process that the pid file names is there, and is ours by its command line. */
  #isAlive(): boolean {
    try {
      const pid = Number(readFileSync(this.#files.pid, 'utf8').trim().split('\n')[0]);
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.#files.socket);
    } catch {
      return false;
    }
  }

  #lastWords(from = 0): string {
    try {
      const lines = readFileSync(this.#files.log).subarray(from).toString('utf8').split('\n');
      return lines
        .filter((line) => line.startsWith('[ALERT]'))
        .slice(-5)
        .join(' ')
        .slice(-1500);
    } catch {
      return '';
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
