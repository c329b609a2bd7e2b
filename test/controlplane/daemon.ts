import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { boundCommand } from './bound-command.ts';

const TERM_GRACE_MS = 2_000;
const TAIL_BYTES = 4_000;

export interface DaemonOptions {
  name: string;
  command: string;
  args: readonly string[];
  /** Gets stdout and stderr, appended. */
  logFile: string;
}

/** A long-running program, bound to this process: it never outlives it. */
export class Daemon {
  readonly name: string;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #killOnExit: () => void;
  #end: string | undefined;

  constructor(options: DaemonOptions) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    const [command, args] = boundCommand(options.command, options.args);
    this.#child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#killOnExit = () => this.#child.kill('SIGKILL');
    process.once('exit', this.#killOnExit);
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end ??= how;
        process.off('exit', this.#killOnExit);
        resolve(this.#end);
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(signal ?? `exit status ${code}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  /** Asks until `ready` says so; fails with the end of the log when the program ends first or time is up. */
  async untilReady(ready: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.running && performance.now() < deadline) {
      if (await ready().catch(() => false)) return;
      await sleep(20);
    }
    const why = this.#end === undefined ? `was not ready in ${timeoutMs / 1000} s` : `ended: ${this.#end}`;
    throw new Error(`${this.name} ${why}\n${await this.#logTail()}`);
  }

  /** Resolves once the process is gone; SIGTERM is followed by SIGKILL after 2 s. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    this.#child.kill(signal);
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), TERM_GRACE_MS);
    await this.#ended;
    clearTimeout(killer);
  }

  async #logTail(): Promise<string> {
    const { size } = await stat(this.#logFile);
    const stream = createReadStream(this.#logFile, { start: Math.max(0, size - TAIL_BYTES) });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    await once(stream, 'close');
    return text;
  }
}
