import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../kube/log.ts';
import { LeavingServers } from '../leaving-servers.ts';
import type { ServiceModel } from '../model.ts';
import { diffOldWorker } from './diff-servers.ts';
import { askMaster, tellWorker } from './master-socket.ts';
import { type ProxyState, readOldWorkers, readSessions, readStat } from './read-state.ts';

export interface OldWorkersOptions {
  /** Of the master. */
  socket: string;
  /** Where it is kept since when servers leave that they have. */
  file: string;
  log: Logger;
}

/** There may be many of them, with many servers each. */
const LOOK_AGAIN_MS = 3_000;
/** One that doesn't answer holds up the one that serves. */
const TIMEOUT_MS = 2_000;

/**
 * Workers that others took the place of, each with the connections that it had then. A target that leaves has some in any of
 * them, which end when its time is over as they do in the worker that serves.
 */
export class OldWorkers {
  readonly #options: OldWorkersOptions;
  readonly #leaving: LeavingServers;
  #looked = { at: Number.NEGATIVE_INFINITY, pids: [] as number[] };

  constructor(options: OldWorkersOptions) {
    this.#options = options;
    this.#leaving = new LeavingServers(options.file);
  }

  /** Answers how many there are. `since` is when servers of the worker before left, `now` a time by the same clock. */
  async follow(
    services: readonly ServiceModel[],
    { now, since }: { now: number; since: ReadonlyMap<string, number> },
  ): Promise<number> {
    const { socket } = this.#options;
    const proc = await askMaster(socket, 'show proc').catch(() => undefined);
    if (proc === undefined) return this.#looked.pids.length;
    const pids = readOldWorkers(proc);
    const at = performance.now();
    const isSame = isDeepStrictEqual(this.#looked.pids, pids);
    if (isSame && (pids.length === 0 || at - this.#looked.at < LOOK_AGAIN_MS)) return pids.length;
    const times = { now, since: new Map([...since, ...this.#leaving.since]) };
    const found = await Promise.all(
      pids.map(async (pid) => {
        const actual = await this.#ask(pid);
        if (actual === undefined) return { pid, over: new Set<string>(), leaving: this.#known(pid) };
        return { pid, ...diffOldWorker(pid, services, actual, times) };
      }),
    );
    this.#leaving.set(new Map(found.flatMap(({ leaving }) => [...leaving])));
    for (const { over, pid } of found) await this.#end(pid, over);
    this.#looked = { at, pids };
    return pids.length;
  }

  async #ask(pid: number): Promise<ReadonlyMap<string, ProxyState> | undefined> {
    const { log, socket } = this.#options;
    try {
      return readStat(await askMaster(socket, `@!${pid} show stat -1 4 -1`, TIMEOUT_MS));
    } catch (error) {
      log.debug('OldWorkerSilent', { pid, error });
      return undefined;
    }
  }

  #known(pid: number): ReadonlyMap<string, number> {
    return new Map([...this.#leaving.since].filter(([key]) => key.startsWith(`${pid}/`)));
  }

  /** One by one: nothing can be said any more of the servers of a proxy that was stopped. */
  async #end(pid: number, over: ReadonlySet<string>): Promise<void> {
    if (over.size === 0) return;
    const { log, socket } = this.#options;
    try {
      const sessions = readSessions(await askMaster(socket, `@!${pid} show sess`, TIMEOUT_MS));
      const commands = sessions.flatMap(({ id, server }) =>
        over.has(server) ? [`shutdown session ${id}`] : [],
      );
      const said = await tellWorker(socket, commands, `@!${pid}`);
      log.debug('OldConnectionsEnded', { pid, commands: commands.length, said: said.trim().slice(0, 500) });
    } catch (error) {
      log.debug('OldWorkerSilent', { pid, error });
    }
  }
}
