import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';

const MAIN = new URL('../../../operator/main.ts', import.meta.url).pathname;

/** The operator as it runs in a cluster: a process of its own. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        if (process.env.CHAOS_LOGS) appendFileSync(`${process.env.CHAOS_LOGS}/${child.pid}.log`, text);
        this.#output = (this.#output + text).slice(-1_000_000);
      });
    }
  }

  static start(
    kubeconfig: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): OperatorProcess {
    const web = ['--health-port', '0', '--metrics-port', '0'];
    const argv = [MAIN, '--kubeconfig', kubeconfig, ...web, ...args];
    return new OperatorProcess(
      spawn(process.execPath, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  /** Resolves when every claim is taken in and Services are worked on. */
  async ready(timeoutMs = 90_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#output.includes('"event":"Ready"')) {
      const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (ended || performance.now() > deadline) {
        throw new Error(`the operator did not get ready: ${this.#output.slice(-4_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Under which it takes the Lease; undefined until it said so. */
  get identity(): string | undefined {
    return /"identity":"([^"]+)"/.exec(this.#output)?.[1];
  }

  /** Log lines of this level. */
  lines(level: string): string[] {
    return this.#output.split('\n').filter((line) => line.includes(`"level":"${level}"`));
  }

  /** Ends it without a goodbye, and waits until it's dead. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#exit;
  }
}
