import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import type { Logger } from '../../kube/log.ts';
import { writeFileWhole } from '../write-file-whole.ts';
import { renderKeepalived, type VrrpOptions } from './render-keepalived.ts';

export interface KeepalivedFiles {
  config: string;
  /** The configuration that the one that runs was told to take in, after its pid. */
  told: string;
  pid: string;
  /** Of the process that speaks VRRP. */
  vrrpPid: string;
  log: string;
  /** 0, or 1 while no HAProxy runs. */
  failed: string;
  /** Of HAProxy's master. */
  haproxyPid: string;
}

export function keepalivedFiles(folder: string): KeepalivedFiles {
  return {
    config: `${folder}/keepalived.conf`,
    told: `${folder}/keepalived.told`,
    pid: `${folder}/keepalived.pid`,
    vrrpPid: `${folder}/keepalived-vrrp.pid`,
    log: `${folder}/keepalived.log`,
    failed: `${folder}/haproxy.failed`,
    haproxyPid: `${folder}/haproxy.pid`,
  };
}

const LONGEST_LOG = 4 * 1024 * 1024;
/**
 * Looks whether HAProxy runs, and becomes keepalived: arguments are where its pid is, where to say so, and the command. It
 * goes on as long as that, without the edge.
 */
const WATCH = `
pid=$1 failed=$2; shift 2
watch() {
  said=
  while kill -0 $$; do
    now=1; kill -0 "$(cat "$pid")" && now=0
    if [ "$now" != "$said" ]; then echo "$now" >"$failed"; said=$now; fi
    sleep 0.3
  done
}
echo 0 >"$failed"
watch 2>/dev/null &
exec "$@"`;
/** Longer than it takes to write its pid file. */
const START_AGAIN_MS = 3_000;

/** The keepalived of this edge: a process of its own, which outlives the edge as its HAProxy does. */
export class Keepalived {
  readonly #program: string;
  readonly #files: KeepalivedFiles;
  readonly #log: Logger;
  #startedAt = Number.NEGATIVE_INFINITY;
  /** The configuration that was there when it was started, until its pid is known. */
  #startedWith: string | undefined;

  constructor(program: string, files: KeepalivedFiles, log: Logger) {
    this.#program = program;
    this.#files = files;
    this.#log = log;
  }

  /** Makes it run with these options, or not at all. */
  follow(options: Omit<VrrpOptions, 'failed'> | undefined): void {
    const pid = this.#pid();
    if (options === undefined || options.addresses.length === 0) {
      for (const file of [this.#files.config, this.#files.told]) rmSync(file, { force: true });
      if (pid !== undefined) process.kill(pid, 'SIGTERM');
      return;
    }
    const text = renderKeepalived({ ...options, failed: this.#files.failed });
    if (readText(this.#files.config) !== text) writeFileWhole(this.#files.config, text);
    if (pid === undefined) this.#start();
    else this.#tell(pid, text);
  }

  /** Once, also where the edge before was killed between writing and telling, or the text is another one since the start. */
  #tell(pid: number, text: string): void {
    const told = `${pid}\n${text}`;
    if (readText(this.#files.told) === told) return;
    if (this.#startedWith !== text) process.kill(pid, 'SIGHUP');
    this.#startedWith = undefined;
    writeFileWhole(this.#files.told, told);
  }

  /** Before anybody says what ought to be: what ran last is better than nothing. */
  ensure(): void {
    if (existsSync(this.#files.config) && this.#pid() === undefined) this.#start();
  }

  #start(): void {
    if (performance.now() - this.#startedAt < START_AGAIN_MS) return;
    this.#startedAt = performance.now();
    const { config, failed, haproxyPid, log, pid, vrrpPid } = this.#files;
    this.#startedWith = readText(config);
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) truncateSync(log);
    const output = openSync(log, 'a', 0o600);
    try {
      const flags = ['--dont-fork', '--vrrp', '--log-console', `--use-file=${config}`];
      const command = [this.#program, ...flags, `--pid=${pid}`, `--vrrp_pid=${vrrpPid}`];
      const child = spawn('sh', ['-c', WATCH, 'sh', haproxyPid, failed, ...command], {
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
