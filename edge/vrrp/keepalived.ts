import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import type { Logger } from '../../kube/log.ts';
import { writeFileWhole } from '../write-file-whole.ts';
import { renderKeepalived, type VrrpOptions } from './render-keepalived.ts';

export interface KeepalivedFiles {
  config: string;
  pid: string;
  /** Of the process that speaks VRRP. */
  vrrpPid: string;
  log: string;
}

export function keepalivedFiles(folder: string): KeepalivedFiles {
  return {
    config: `${folder}/keepalived.conf`,
    pid: `${folder}/keepalived.pid`,
    vrrpPid: `${folder}/keepalived-vrrp.pid`,
    log: `${folder}/keepalived.log`,
  };
}

const LONGEST_LOG = 4 * 1024 * 1024;
/** Longer than it takes to write its pid file. */
const START_AGAIN_MS = 3_000;

/** The keepalived of this edge: a process of its own, which outlives the edge as its HAProxy does. */
export class Keepalived {
  readonly #program: string;
  readonly #files: KeepalivedFiles;
  readonly #log: Logger;
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(program: string, files: KeepalivedFiles, log: Logger) {
    this.#program = program;
    this.#files = files;
    this.#log = log;
  }

  /** Makes it run with these options, or not at all. */
  follow(options: VrrpOptions | undefined): void {
    const pid = this.#pid();
    if (options === undefined || options.addresses.length === 0) {
      rmSync(this.#files.config, { force: true });
      if (pid !== undefined) process.kill(pid, 'SIGTERM');
      return;
    }
    const text = renderKeepalived(options);
    const isNew = readText(this.#files.config) !== text;
    if (isNew) writeFileWhole(this.#files.config, text);
    if (pid === undefined) this.#start();
    else if (isNew) process.kill(pid, 'SIGHUP');
  }

  /** Before anybody says what ought to be: what ran last is better than nothing. */
  ensure(): void {
    if (existsSync(this.#files.config) && this.#pid() === undefined) this.#start();
  }

  #start(): void {
    if (performance.now() - this.#startedAt < START_AGAIN_MS) return;
    this.#startedAt = performance.now();
    const { config, log, pid, vrrpPid } = this.#files;
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) truncateSync(log);
    const output = openSync(log, 'a', 0o600);
    try {
      const args = ['--dont-fork', '--vrrp', '--log-console', `--use-file=${config}`];
      const child = spawn(this.#program, [...args, `--pid=${pid}`, `--vrrp_pid=${vrrpPid}`], {
        // A session of its own: what ends the edge doesn't end it.
        detached: true,
        stdio: ['ignore', output, output],
      });
      child.on('error', (error) => this.#log.error('KeepalivedNotStarted', { error }));
      child.unref();
      this.#log.info('KeepalivedStarted', { pid: child.pid });
    } finally {
      closeSync(output);
    }
  }

  /** Of the one that runs with this file. */
  #pid(): number | undefined {
    const pid = Number(readText(this.#files.pid).trim());
    if (!(pid > 0)) return undefined;
    return readText(`/proc/${pid}/cmdline`).includes(this.#files.config) ? pid : undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
