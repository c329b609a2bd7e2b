import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../../operator/main.ts');

export interface LogLine {
  event: string;
  level: string;
  [field: string]: unknown;
}

/** operator/main.ts as a process of its own. */
export class OperatorProcess {
  readonly lines: LogLine[] = [];
  readonly healthPort: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, healthPort: number) {
    this.#child = child;
    this.healthPort = healthPort;
    // Its last lines may come after its end.
    this.#exited = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
    if (child.stdout !== null) {
      createInterface(child.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
    }
  }

  static async start(options: {
    kubeconfig: string;
    namespace: string;
    args?: readonly string[];
  }): Promise<OperatorProcess> {
    const healthPort = await freePort();
    const args = [
      MAIN,
      `--kubeconfig=${options.kubeconfig}`,
      `--namespace=${options.namespace}`,
      '--bind-address=127.0.0.1',
      `--health-port=${healthPort}`,
      `--metrics-port=${healthPort}`,
      // As by default: a busy machine renews in time, and nobody here waits for a Lease to run out.
      '--lease-duration-seconds=15',
      '--renew-deadline-seconds=10',
      '--retry-period-seconds=1',
      ...(options.args ?? []),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return new OperatorProcess(child, healthPort);
  }

  /** The exit code, once it has ended; null when a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  has(event: string): boolean {
    return this.lines.some((line) => line.event === event);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.healthPort}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** Ends it for good, if it runs still. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
