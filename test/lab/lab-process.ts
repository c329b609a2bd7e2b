import { Daemon } from '../controlplane/daemon.ts';
import { inNamespace } from './network/namespaces.ts';

export interface LabProcessOptions {
  name: string;
  /** The network namespace it runs in; without it, the control plane's. */
  namespace?: string;
  command: readonly string[];
  logFile: string;
}

/** One program of the lab that can be killed and started again. */
export class LabProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #command: readonly string[];
  #daemon: Daemon | undefined;

  constructor(options: LabProcessOptions) {
    const { namespace, command } = options;
    this.name = options.name;
    this.logFile = options.logFile;
    this.#command = namespace === undefined ? command : inNamespace(namespace, command);
  }

  get running(): boolean {
    return this.#daemon?.running ?? false;
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} runs already`);
    const [command = '', ...args] = this.#command;
    this.#daemon = new Daemon({ name: this.name, command, args, logFile: this.logFile });
  }

  /** SIGKILL, unless told otherwise: the way processes really go. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.#daemon?.stop(signal);
  }

  async restart(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.kill(signal);
    this.start();
  }

  /** Asks until `ready` says so; fails with the end of the log when the program ends first or time is up. */
  async untilReady(ready: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    if (this.#daemon === undefined) throw new Error(`${this.name} was not started`);
    await this.#daemon.untilReady(ready, timeoutMs);
  }
}
