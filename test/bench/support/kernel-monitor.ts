import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchNode } from './bench-node.ts';
import { cpuSeconds } from './process-figures.ts';

/** It reads the whole ruleset before it listens, which takes some seconds when iptables made it; then it rests. */
const LOOK_MS = 1_000;
const BUSY_SECONDS = 0.05;

/** Sees what the kernel commits, as `nft monitor` tells it. */
export class KernelMonitor {
  readonly #child: ChildProcess;
  readonly #tokens: (line: string) => Iterable<string>;
  readonly #waiting = new Map<string, (at: number) => void>();
  #lost = false;
  #lastLine = '';

  private constructor(node: BenchNode, tokens: (line: string) => Iterable<string>) {
    this.#tokens = tokens;
    const [command = '', ...rest] = [...node.prefix, 'nft', 'monitor', 'new'];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => this.#take(line));
    createInterface(child.stderr).on('line', (line) => this.#take(line));
  }

  /** `tokens` finds in a line what is waited for. Resolves when it listens. */
  static async start(node: BenchNode, tokens: (line: string) => Iterable<string>): Promise<KernelMonitor> {
    const monitor = new KernelMonitor(node, tokens);
    await monitor.#rests();
    return monitor;
  }

  async #rests(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("nft monitor can't be run");
    for (let used = 0, turn = 0; ; turn++) {
      await sleep(LOOK_MS);
      const now = cpuSeconds(pid);
      // A busy machine may not have let it begin yet.
      if (turn > 0 && now > 0 && now - used < BUSY_SECONDS) return;
      used = now;
    }
  }

  /** Why what is waited for may have been missed: the kernel told more than could be read, or nobody reads. */
  get trouble(): string | null {
    if (this.#lost) return 'nft monitor lost events';
    const { exitCode, signalCode } = this.#child;
    const end = exitCode ?? signalCode;
    return end === null ? null : `nft monitor ended with ${end}: ${this.#lastLine}`;
  }

  /** Calls back once, with `performance.now()`, when a line with this token comes. */
  once(token: string, seen: (at: number) => void): void {
    this.#waiting.set(token, seen);
  }

  forget(token: string): void {
    this.#waiting.delete(token);
  }

  /** Resolves with `performance.now()` when a line with this token comes; undefined after so long. */
  waitFor(token: string, timeoutMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.forget(token);
        resolve(undefined);
      }, timeoutMs);
      this.once(token, (at) => {
        clearTimeout(timer);
        resolve(at);
      });
    });
  }

  /** Throws when the kernel told more than could be read: then what was waited for may have been missed. */
  stop(): void {
    this.#child.kill('SIGKILL');
    if (this.#lost) throw new Error('nft monitor lost events');
  }

  #take(line: string): void {
    this.#lastLine = line;
    if (line.includes('lost some netlink events')) this.#lost = true;
    if (this.#waiting.size === 0) return;
    for (const token of this.#tokens(line)) {
      const seen = this.#waiting.get(token);
      if (seen === undefined) continue;
      this.#waiting.delete(token);
      seen(performance.now());
    }
  }
}
