import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchNode } from './bench-node.ts';
import { watchTreeMemory } from './process-figures.ts';
import type { ServiceProxy } from './proxies.ts';

const DIALER = new URL('dial-until-served.ts', import.meta.url).pathname;
const HEALTH_ASKER = new URL('ask-health.ts', import.meta.url).pathname;
const LONGEST_START_MS = Number(process.env.BENCH_LONGEST_START_SECONDS ?? 180) * 1000;

/** A proxy never served what it should. */
export class StartFailure extends Error {}

export interface StartFigures {
  /** From the start of the process until all sentinels took a connection. */
  startMs: number;
  /** The slowest answer about its health meanwhile, from its first one on; NaN when there was none. */
  slowestHealthMs: number;
  /** With its children, MiB. */
  treeMemory: number;
}

/** A proxy as a process on the node. */
export class RunningProxy {
  readonly pid: number;
  readonly start: StartFigures;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number, start: StartFigures) {
    this.#child = child;
    this.pid = pid;
    this.start = start;
  }

  /** Resolves when all sentinels are served. Throws a StartFailure when that takes too long. */
  static async start(proxy: ServiceProxy, sentinels: readonly string[]): Promise<RunningProxy> {
    const served = await dialUntilServed(proxy.node, sentinels);
    const [command = '', ...args] = [...proxy.node.prefix, ...proxy.command];
    const startedAt = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${proxy.title} can't be run`);
    const lastLines = keepLastLines(child);
    const memory = watchTreeMemory(pid);
    const health = watchHealth(`http://${proxy.node.address}:${proxy.healthPort}/livez`);
    const ended = once(child, 'exit').then(([code]) => {
      throw new StartFailure(`ended with ${code}: ${lastLines()}`);
    });
    try {
      const tooLong = sleep(LONGEST_START_MS, undefined, { ref: false }).then(() => {
        throw new StartFailure(`not through after ${LONGEST_START_MS / 1000} s`);
      });
      const servedAt = await Promise.race([served.at, ended, tooLong]);
      ended.catch(() => {});
      const figures = {
        startMs: servedAt - startedAt,
        slowestHealthMs: await health.stop(),
        treeMemory: memory.stop(),
      };
      return new RunningProxy(child, pid, figures);
    } catch (error) {
      await health.stop();
      memory.stop();
      child.kill('SIGKILL');
      throw error;
    } finally {
      served.stop();
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}

async function dialUntilServed(node: BenchNode, addresses: readonly string[]) {
  const [command = '', ...args] = [...node.prefix, process.execPath, DIALER, '80', ...addresses];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const served = Promise.withResolvers<number>();
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => (line === 'served' ? served.resolve(performance.now()) : resolve()));
  });
  return { at: served.promise, stop: () => child.kill('SIGKILL') };
}

function keepLastLines(child: ChildProcess): () => string {
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => {
      if (process.env.BENCH_VERBOSE !== undefined) process.stderr.write(`${line.slice(0, 500)}\n`);
      last.push(line);
      if (last.length > 5) last.shift();
    });
  }
  return () => last.join('\n').slice(-2000);
}

/** Asks a proxy for its health all the time. */
export function watchHealth(url: string): { stop(): Promise<number> } {
  const child = spawn(process.execPath, [HEALTH_ASKER, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const slowest = text(child.stdout).then(Number);
  return {
    stop: () => {
      child.stdin.end();
      return slowest;
    },
  };
}
