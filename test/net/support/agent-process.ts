import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url));

/** An agent as a process of its own, in a network namespace. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #lines: Record<string, unknown>[] = [];
  readonly #ended: Promise<number | null>;
  #heard = () => {};

  constructor(netns: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn('ip', ['netns', 'exec', netns, process.execPath, MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
    if (this.#child.stdout === null) throw new Error('the agent has no output');
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      this.#heard();
    });
  }

  /** Resolves with the log line of an event, of the past or to come. */
  async says(event: string, timeoutMs = 45_000): Promise<Record<string, unknown>> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const line = this.#lines.find((each) => each.event === event);
      if (line !== undefined) return line;
      if (Date.now() > deadline) {
        throw new Error(`the agent never said ${event}, but ${JSON.stringify(this.#lines).slice(-2000)}`);
      }
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#heard = resolve;
        }),
        new Promise((resolve) => setTimeout(resolve, 100)),
      ]);
    }
  }

  /** Resolves with the exit status. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (signal !== undefined) this.#child.kill(signal);
    return this.#ended;
  }
}
