import { runOrThrow } from '../../kube/run-command.ts';
import type { NodeInterface } from './choose-interface.ts';

/** An interface with what only its own node needs. */
export interface LocalInterface extends NodeInterface {
  index: number;
  /** Hardware address. */
  mac: string;
}

/**
 * The interfaces that can answer for an address: Ethernet, up, with a subnet or a default route, or asked for by name.
 * Virtual Ethernet of pods has neither.
 */
export function parseInterfaces(
  addressJson: string,
  routeJson: string,
  route6Json: string,
  named: ReadonlySet<string> = new Set(),
): LocalInterface[] {
  const defaults4 = defaultDevices(routeJson);
  const defaults6 = defaultDevices(route6Json);
  return records(addressJson).flatMap((link) => {
    const { ifname, ifindex, address } = link;
    if (typeof ifname !== 'string' || typeof ifindex !== 'number' || typeof address !== 'string') return [];
    const flags = Array.isArray(link.flags) ? link.flags : [];
    if (link.link_type !== 'ether' || !flags.includes('UP') || !flags.includes('LOWER_UP')) return [];
    const infos = Array.isArray(link.addr_info) ? link.addr_info.filter(isRecord) : [];
    const local = infos.flatMap((info) =>
      typeof info.local === 'string' && typeof info.prefixlen === 'number'
        ? [{ address: info.local, bits: info.prefixlen, scope: info.scope }]
        : [],
    );
    const described: LocalInterface = {
      name: ifname,
      index: ifindex,
      mac: address,
      subnets: local
        .filter(
          ({ address: text, bits, scope }) => scope === 'global' && bits < (text.includes(':') ? 128 : 32),
        )
        .map((entry) => `${entry.address}/${entry.bits}`),
      defaultRoute: [
        ...(defaults4.has(ifname) ? (['IPv4'] as const) : []),
        ...(defaults6.has(ifname) ? (['IPv6'] as const) : []),
      ],
    };
    const isUseful = described.subnets.length > 0 || described.defaultRoute.length > 0 || named.has(ifname);
    return isUseful ? [described] : [];
  });
}

/** Every address of every interface, up or down, with its device. */
export function parseAddresses(addressJson: string): { address: string; device: string }[] {
  return records(addressJson).flatMap((link) => {
    const infos = Array.isArray(link.addr_info) ? link.addr_info.filter(isRecord) : [];
    return infos.flatMap(({ local }) =>
      typeof local === 'string' && typeof link.ifname === 'string'
        ? [{ address: local, device: link.ifname }]
        : [],
    );
  });
}

/** @throws Error when `ip` fails. */
export async function readAddresses(): Promise<{ address: string; device: string }[]> {
  return parseAddresses(await runOrThrow('ip', ['-j', 'addr', 'show']));
}

/** @throws Error when `ip` fails. */
export async function readInterfaces(named: ReadonlySet<string>): Promise<LocalInterface[]> {
  const [addresses, routes, routes6] = await Promise.all([
    runOrThrow('ip', ['-j', 'addr', 'show']),
    runOrThrow('ip', ['-4', '-j', 'route', 'show', 'default']),
    // A node without IPv6 has no such table.
    runOrThrow('ip', ['-6', '-j', 'route', 'show', 'default']).catch(() => '[]'),
  ]);
  return parseInterfaces(addresses, routes, routes6, named);
}

/** What other nodes need to know of an interface. */
export function describeInterface({ name, subnets, defaultRoute }: LocalInterface): NodeInterface {
  return { name, subnets, defaultRoute };
}

/** Devices of default routes, the one of the lowest metric first. */
function defaultDevices(json: string): Set<string> {
  const routes = records(json)
    .filter((route) => route.dst === 'default')
    .map((route) => ({ dev: route.dev, metric: typeof route.metric === 'number' ? route.metric : 0 }))
    .sort((one, other) => one.metric - other.metric);
  const [first] = routes;
  return new Set(typeof first?.dev === 'string' ? [first.dev] : []);
}

function records(json: string): Record<string, unknown>[] {
  const parsed: unknown = JSON.parse(json.trim() === '' ? '[]' : json);
  return Array.isArray(parsed) ? parsed.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
