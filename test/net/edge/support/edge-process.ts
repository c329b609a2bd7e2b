import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../support/eventually.ts';

const MAIN = fileURLToPath(new URL('../../../../edge/main.ts', import.meta.url));

/** An edge as a process of its own, in a network namespace. Its HAProxy outlives it. */
export class EdgeProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly lines: Record<string, unknown>[] = [];

  constructor(netns: string, args: readonly string[]) {
    this.#child = spawn('ip', ['netns', 'exec', netns, process.execPath, MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.stdout === null) throw new Error('the edge has no output');
    createInterface(this.#child.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }

  async says(event: string): Promise<void> {
    await eventually(() => {
      if (this.count(event) > 0) return;
      throw new Error(`the edge never said ${event}, but ${JSON.stringify(this.lines).slice(-2000)}`);
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}
