import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Logger } from '../../kube/log.ts';

const GATHER_MS = 50;
const RESTART_MS = 5000;

/** An address on a device: whether we put it there ourselves. */
export type IsOurs = (address: string, device: string) => boolean;

/**
 * Whether a line of `ip -o monitor link address route` tells of anything but an address that we put there ourselves: a look
 * around takes four processes, at a moment when the neighbours are yet to hear of that address. Of routes only default
 * ones count; the kernel makes others for each address, and pods bring theirs.
 */
export function tellsNews(line: string, isOurs: IsOurs): boolean {
  const [, gone, object = ''] = /^(Deleted )?(.*)$/.exec(line) ?? [];
  if (!/^\d+: /.test(object)) return /^(\w+ )?default /.test(object);
  const [, device, address] = /^\d+: (\S+)\s+inet6? ([0-9a-f.:]+)\//.exec(object) ?? [];
  if (device === undefined || address === undefined || gone !== undefined) return true;
  return !isOurs(address, device);
}

/** Calls back soon after links, addresses or default routes of this node changed; changes are gathered. */
export class LinkMonitor {
  readonly #log: Logger;
  readonly #isOurs: IsOurs;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #restarting: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(log: Logger, isOurs: IsOurs, onChange: () => void) {
    this.#log = log;
    this.#isOurs = isOurs;
    this.#onChange = onChange;
  }

  start(): void {
    if (this.#stopped) return;
    const child: ChildProcess = spawn('ip', ['-o', 'monitor', 'link', 'address', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    // Without file descriptors left there is no pipe, either.
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#heard(line));
    child.on('error', (error) => this.#log.warn('LinkMonitorFailed', { error }));
    child.on('close', () => {
      if (this.#stopped) return;
      this.#restarting = setTimeout(() => {
        this.start();
        this.#onChange();
      }, RESTART_MS);
    });
  }

  #heard(line: string): void {
    if (this.#stopped || !tellsNews(line, this.#isOurs)) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#onChange();
    }, GATHER_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#restarting);
    this.#child?.kill();
  }
}
