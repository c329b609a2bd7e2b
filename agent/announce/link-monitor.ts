import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from '../../kube/log.ts';

const GATHER_MS = 50;
const RESTART_MS = 5000;

/** Calls back soon after links, addresses or default routes of this node changed; changes are gathered. */
export class LinkMonitor {
  readonly #log: Logger;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #restarting: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(log: Logger, onChange: () => void) {
    this.#log = log;
    this.#onChange = onChange;
  }

  start(): void {
    if (this.#stopped) return;
    const child = spawn('ip', ['-o', 'monitor', 'link', 'address', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    child.stdout?.on('data', () => {
      this.#gathering ??= setTimeout(() => {
        this.#gathering = undefined;
        this.#onChange();
      }, GATHER_MS);
    });
    child.on('error', (error) => this.#log.warn('LinkMonitorFailed', { error }));
    child.on('close', () => {
      if (this.#stopped) return;
      this.#restarting = setTimeout(() => {
        this.start();
        this.#onChange();
      }, RESTART_MS);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#restarting);
    this.#child?.kill();
  }
}
