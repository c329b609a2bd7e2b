import type { FrontendModel, ServiceModel } from '../model.ts';
import { renderServer } from '../render-config.ts';
import type { ProxyState, ServerState } from './read-state.ts';

/** What there is to do about the servers of one worker. */
export interface ServerChanges {
  /** Lines for the worker's command line, in order: what is added comes before what leaves. */
  commands: string[];
  /** Servers that leave and can't be deleted yet: since when, by their names for the Runtime API, in seconds. */
  leaving: ReadonlyMap<string, number>;
}

/** When servers were put in maintenance, as far as is known, and what time it is by the same clock. In seconds. */
export interface LeavingTimes {
  since: ReadonlyMap<string, number>;
  now: number;
}

/**
 * From the servers that a worker has to those that it ought to have. A proxy that the worker doesn't know is left out: it
 * comes with a reload, its servers with it. One that leaves, and of which nobody knows since when, has all of its time before it.
 */
export function diffServers(
  services: readonly ServiceModel[],
  actual: ReadonlyMap<string, ProxyState>,
  { now, since }: LeavingTimes,
): ServerChanges {
  const added: string[] = [];
  const removed: string[] = [];
  const leaving = new Map<string, number>();
  for (const { drainSeconds, frontends } of services) {
    for (const frontend of frontends) {
      const there = actual.get(frontend.name);
      if (there === undefined) continue;
      added.push(...addServers(frontend, there.servers));
      const wanted = new Set(frontend.servers.map(({ name }) => name));
      for (const server of there.servers) {
        if (wanted.has(server.name)) continue;
        const path = `${frontend.name}/${server.name}`;
        // The clock of another boot may be ahead.
        const from = server.maintained ? Math.min(since.get(path) ?? now, now) : now;
        leaving.set(path, from);
        removed.push(...removeServer(path, server, now - from >= drainSeconds));
      }
    }
  }
  return { commands: [...added, ...removed], leaving };
}

/** What there is to do about a worker that another took the place of. */
export interface OldServers {
  /** Servers whose time is over, by their names for the Runtime API: their connections are ended. */
  over: ReadonlySet<string>;
  /** As of the worker that serves, with the pid before each name. */
  leaving: ReadonlyMap<string, number>;
}

/**
 * The same of a worker that another took the place of, by its pid: nobody new comes to it, and nothing is deleted there, so that
 * only connections whose time is over are ended. When the servers left that another worker had, counts for its own as well.
 */
export function diffOldWorker(
  pid: number,
  services: readonly ServiceModel[],
  actual: ReadonlyMap<string, ProxyState>,
  { now, since }: LeavingTimes,
): OldServers {
  const over = new Set<string>();
  const leaving = new Map<string, number>();
  for (const { drainSeconds, frontends } of services) {
    for (const { name, servers } of frontends) {
      const wanted = new Set(servers.map((each) => each.name));
      const left = (actual.get(name)?.servers ?? []).filter((each) => !wanted.has(each.name));
      for (const server of left.filter(({ sessions }) => sessions > 0)) {
        const path = `${name}/${server.name}`;
        const key = `${pid}/${path}`;
        const from = Math.min(since.get(key) ?? since.get(path) ?? now, now);
        leaving.set(key, from);
        if (now - from >= drainSeconds) over.add(path);
      }
    }
  }
  return { over, leaving };
}

function addServers({ name, server, servers }: FrontendModel, actual: readonly ServerState[]): string[] {
  const byName = new Map(actual.map((each) => [each.name, each]));
  return servers.flatMap((wanted) => {
    const path = `${name}/${wanted.name}`;
    const there = byName.get(wanted.name);
    const { weight = 1 } = wanted;
    const isWeighted = there === undefined || there.weight === undefined || there.weight === weight;
    const weigh = isWeighted ? [] : [`set server ${path} weight ${weight}`];
    if (there !== undefined && !there.maintained) return weigh;
    // Whoever was cut off after `add server` left one in maintenance, whose checks never began.
    const enable = [`enable health ${path}`, `enable server ${path}`];
    if (there !== undefined) return [...weigh, ...enable];
    return [`add server ${renderServer(wanted, server, path)}`, ...enable];
  });
}

/** Maintenance first, which open connections outlive; then gone, once it has none or its time is over. */
function removeServer(path: string, server: ServerState, isOver: boolean): string[] {
  if (!server.maintained) return [`set server ${path} state maint`];
  if (server.sessions === 0) return [`del server ${path}`];
  return isOver ? [`shutdown sessions server ${path}`] : [];
}
