/** A server as the worker has it. */
export interface ServerState {
  name: string;
  /** In maintenance: gets no new connections. */
  maintained: boolean;
  /** Takes connections, as far as HAProxy's checks know. */
  up: boolean;
  /** As it was set last; undefined: HAProxy doesn't say. */
  weight?: number;
  sessions: number;
}

/** Numbers of one proxy since its worker began. */
export interface ProxyNumbers {
  sessions: number;
  totalSessions: number;
  bytesIn: number;
  bytesOut: number;
}

export interface ProxyState {
  servers: ServerState[];
  numbers: ProxyNumbers;
}

export interface WorkerInfo {
  pid: number;
  version: string;
  description: string;
}

/** Reads `show info`; undefined when that isn't it: no worker answered. */
export function readInfo(text: string): WorkerInfo | undefined {
  const find = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const pid = Number(find('Pid'));
  if (!Number.isInteger(pid)) return undefined;
  return { pid, version: find('Version') ?? '', description: find('description') ?? '' };
}

/** How many reloads failed, as `show proc` says; undefined when it doesn't. */
export function readFailedReloads(text: string): number | undefined {
  const [, count] = /\bmaster\b.*\[failed: (\d+)\]/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** Workers that others took the place of and that have connections still, by their pids, as `show proc` says. */
export function readOldWorkers(text: string): number[] {
  const [, listed = ''] = /^# old workers$([^#]*)/m.exec(text) ?? [];
  return [...listed.matchAll(/^(\d+)\s+worker\b/gm)].map(([, pid]) => Number(pid));
}

/** Reads `show sess`: the connections of servers, by the names for the Runtime API of both. */
export function readSessions(text: string): { id: string; server: string }[] {
  const found = text.matchAll(/^(0x[0-9a-f]+): .* be=(\S+) srv=(\S+)/gm);
  return [...found].map(([, id = '', proxy, server]) => ({ id, server: `${proxy}/${server}` }));
}

/** Reads `show stat`: every proxy by its name. */
export function readStat(text: string): Map<string, ProxyState> {
  const [header = '', ...rows] = text.trim().split('\n');
  const columns = header.replace(/^# /, '').split(',');
  const proxies = new Map<string, ProxyState>();
  for (const row of rows) {
    const values = row.split(',');
    const field = (name: string) => values[columns.indexOf(name)] ?? '';
    const proxy = proxies.get(field('pxname')) ?? { servers: [], numbers: NOTHING };
    proxies.set(field('pxname'), proxy);
    if (field('svname') === 'FRONTEND') {
      proxy.numbers = {
        sessions: Number(field('scur')),
        totalSessions: Number(field('stot')),
        bytesIn: Number(field('bin')),
        bytesOut: Number(field('bout')),
      };
    } else if (field('svname') !== 'BACKEND') {
      const status = field('status');
      const weight = field('uweight');
      proxy.servers.push({
        name: field('svname'),
        maintained: status.startsWith('MAINT'),
        up: status.startsWith('UP') || status === 'no check',
        ...(weight === '' ? {} : { weight: Number(weight) }),
        sessions: Number(field('scur')),
      });
    }
  }
  return proxies;
}

const NOTHING: ProxyNumbers = { sessions: 0, totalSessions: 0, bytesIn: 0, bytesOut: 0 };
