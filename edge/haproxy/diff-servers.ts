import type { FrontendModel, ServiceModel } from '../model.ts';
import { renderServer } from '../render-config.ts';
import type { ProxyState, ServerState } from './read-state.ts';

/** What there is to do about the servers of one worker. */
export interface ServerChanges {
  /** Lines for the worker's command line, in order: what is added comes before what leaves. */
  commands: string[];
  /** Servers that leave and can't be deleted yet. */
  draining: number;
}

/**
 * From the servers that a worker has to those that it ought to have. A proxy that the worker doesn't know is left out: it
 * comes with a reload, its servers with it.
 */
export function diffServers(
  services: readonly ServiceModel[],
  actual: ReadonlyMap<string, ProxyState>,
): ServerChanges {
  const added: string[] = [];
  const removed: string[] = [];
  let draining = 0;
  for (const { drainSeconds, frontends } of services) {
    for (const frontend of frontends) {
      const there = actual.get(frontend.name);
      if (there === undefined) continue;
      added.push(...addServers(frontend, there.servers));
      const wanted = new Set(frontend.servers.map(({ name }) => name));
      for (const server of there.servers) {
        if (wanted.has(server.name)) continue;
        draining++;
        removed.push(...removeServer(`${frontend.name}/${server.name}`, server, drainSeconds));
      }
    }
  }
  return { commands: [...added, ...removed], draining };
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
function removeServer(path: string, server: ServerState, drainSeconds: number): string[] {
  if (!server.maintained) return [`set server ${path} state maint`];
  if (server.sessions === 0) return [`del server ${path}`];
  return server.sinceSeconds >= drainSeconds ? [`shutdown sessions server ${path}`] : [];
}
