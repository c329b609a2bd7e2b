import type { Protocol } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import { type CompiledPortPool, portKindName } from './compile-port-pools.ts';
import { explainNoPort, whyPortPoolIsNotFor } from './explain-port-pools.ts';
import type { PortBook } from './port-book.ts';
import { type PortRange, portIn, staticBand } from './port-ranges.ts';
import type { PortRequest, RequestedPort } from './port-request.ts';

/** The number of one port. Without a number, Kubernetes picks; without a pool, it isn't our claim. */
export interface GrantedPort {
  protocol: Protocol;
  port: number;
  number?: number;
  pool?: string;
}

export type PortDecision =
  /** In the order of the request; `findings` hold nothing up. */
  | { kind: 'granted'; ports: GrantedPort[]; findings: Finding[] }
  /** Nothing changes: `ports` is what the Service has. */
  | { kind: 'refused'; reason: string; message: string; ports: GrantedPort[]; findings: Finding[] };

/**
 * Decides the node ports or the forwarding ports of a Service. What was claimed is kept until the Service asks for
 * another pool. A node port that Kubernetes picked is adopted when a serving pool holds it and replaced when none does;
 * one in the static band was chosen by a person (KEP-3668) and stays. Ports of a Service with one number and several
 * protocols get one number, where there is one.
 *
 * Node ports that no pool serves are left to Kubernetes. Forwarding ports that no pool serves are refused. When the API
 * server refuses a proposed node port, the caller asks again with that number in `excluded`.
 */
export function allocatePorts(
  request: PortRequest,
  pools: readonly CompiledPortPool[],
  book: PortBook,
  nodePortRange: PortRange,
): PortDecision {
  const unknown = request.pools.find((name) => !pools.some((pool) => pool.name === name));
  const tried =
    request.pools.length === 0
      ? pools
      : request.pools.flatMap((name) => pools.find((pool) => pool.name === name) ?? []);
  const serving = tried.filter((pool) => whyPortPoolIsNotFor(pool, request) === undefined);
  const refused = ({ reason, message }: Finding): PortDecision => {
    const ports = request.ports.map(asItIs);
    return { kind: 'refused', reason, message, ports, findings: findOddPorts(ports, request, pools, book) };
  };
  if (unknown !== undefined) {
    return refused({
      reason: 'PortPoolNotFound',
      message: `There is no PortPool "${unknown}": correct fairlead.dev/port-pool, or create it.`,
    });
  }
  const leftToKubernetes = request.kind === 'nodePort' && request.pools.length === 0 && serving.length === 0;

  const band = request.kind === 'nodePort' ? staticBand(nodePortRange) : undefined;
  const granted = new Map<RequestedPort, GrantedPort>();
  for (const port of request.ports) {
    const kept = leftToKubernetes ? asItIs(port) : keepPort(port, request, serving, band);
    if (kept !== undefined) granted.set(port, kept);
  }
  for (const port of request.ports) {
    if (granted.has(port)) continue;
    const siblings = request.ports.filter((other) => other.port === port.port && !granted.has(other));
    const found =
      numberOfSibling(port, siblings, request, granted, serving, book) ??
      findNumber(siblings, request, granted, serving, book);
    if (found !== undefined) {
      for (const sibling of siblings) granted.set(sibling, { ...bare(sibling), ...found });
      continue;
    }
    const alone = findNumber([port], request, granted, serving, book);
    if (alone === undefined) return refused(explainNoPort(port.protocol, request, tried, book));
    granted.set(port, { ...bare(port), ...alone });
  }
  const ports = request.ports.flatMap((port) => granted.get(port) ?? []);
  return { kind: 'granted', ports, findings: findOddPorts(ports, request, pools, book) };
}

function keepPort(
  port: RequestedPort,
  request: PortRequest,
  serving: readonly CompiledPortPool[],
  band: PortRange | undefined,
): GrantedPort | undefined {
  const { current } = port;
  if (current === undefined) return undefined;
  const home = serving.find((pool) => poolHoldsPort(pool, request, current.number));
  if (current.pool === undefined) {
    if (portIn(band, current.number)) return asItIs(port);
    return home === undefined ? undefined : { ...bare(port), number: current.number, pool: home.name };
  }
  if (request.pools.length === 0 || request.pools.includes(current.pool)) return asItIs(port);
  return home === undefined ? undefined : { ...bare(port), number: current.number, pool: home.name };
}

/** The number that another protocol of the same port has already, if every one that lacks a number can have it too. */
function numberOfSibling(
  port: RequestedPort,
  siblings: readonly RequestedPort[],
  request: PortRequest,
  granted: ReadonlyMap<RequestedPort, GrantedPort>,
  serving: readonly CompiledPortPool[],
  book: PortBook,
): { number: number; pool: string } | undefined {
  for (const { port: sameAs, number, pool } of granted.values()) {
    if (sameAs !== port.port || number === undefined || pool === undefined) continue;
    if (request.excluded?.has(number)) continue;
    const free = siblings.every(
      ({ protocol }) =>
        book.holdersOf(request.kind, protocol, number).every((owner) => owner === request.owner) &&
        ![...granted.values()].some((other) => other.protocol === protocol && other.number === number),
    );
    if (free && serving.some((one) => one.name === pool)) return { number, pool };
  }
  return undefined;
}

/**
 * The lowest number of the first pool that is free for the protocols of all these ports. A number that the book has for
 * this owner already goes first: it was claimed before a crash and never written to the Service.
 */
function findNumber(
  ports: readonly RequestedPort[],
  request: PortRequest,
  granted: ReadonlyMap<RequestedPort, GrantedPort>,
  serving: readonly CompiledPortPool[],
  book: PortBook,
): { number: number; pool: string } | undefined {
  const protocols = ports.map((port) => port.protocol);
  const given = new Set(
    [...granted.values()].flatMap(({ number, protocol }) =>
      number !== undefined && (request.kind === 'nodePort' || protocols.includes(protocol)) ? number : [],
    ),
  );
  const usable = (number: number) => !request.excluded?.has(number) && !given.has(number);
  for (const pool of serving) {
    for (const { kind, number } of book.get(request.owner)?.ports ?? []) {
      const ours = protocols.every((protocol) =>
        book.holdersOf(request.kind, protocol, number).every((owner) => owner === request.owner),
      );
      if (kind === request.kind && ours && usable(number) && poolHoldsPort(pool, request, number)) {
        return { number, pool: pool.name };
      }
    }
    for (const range of pool.ranges[request.kind]) {
      let number = book.firstFree(request.kind, protocols, range);
      while (number !== undefined && !usable(number)) {
        number = book.firstFree(request.kind, protocols, range, number + 1);
      }
      if (number !== undefined) return { number, pool: pool.name };
    }
  }
  return undefined;
}

function findOddPorts(
  ports: readonly GrantedPort[],
  request: PortRequest,
  pools: readonly CompiledPortPool[],
  book: PortBook,
): Finding[] {
  const what = portKindName(request.kind);
  return ports.flatMap(({ protocol, number, pool: poolName }) => {
    if (number === undefined) return [];
    const findings: Finding[] = [];
    const others = book.holdersOf(request.kind, protocol, number).filter((owner) => owner !== request.owner);
    if (others.length > 0) {
      findings.push({
        reason: 'PortClaimedTwice',
        message: `${protocol} ${what} ${number} is also claimed by ${others.join(', ')}: ask for another pool for one of them with fairlead.dev/port-pool.`,
      });
    }
    const home = pools.find((pool) => pool.name === poolName);
    if (poolName !== undefined && (home === undefined || !poolHoldsPort(home, request, number))) {
      findings.push({
        reason: 'PortOutsidePool',
        message: `${protocol} ${what} ${number} came from PortPool "${poolName}", which does not hold it any more. The Service keeps it: add it to the pool again, or ask for another pool with fairlead.dev/port-pool.`,
      });
    }
    return findings;
  });
}

function poolHoldsPort(pool: CompiledPortPool, request: PortRequest, number: number): boolean {
  return pool.ranges[request.kind].some((range) => portIn(range, number));
}

function bare({ protocol, port }: RequestedPort): GrantedPort {
  return { protocol, port };
}

function asItIs({ protocol, port, current }: RequestedPort): GrantedPort {
  if (current === undefined) return { protocol, port };
  return current.pool === undefined
    ? { protocol, port, number: current.number }
    : { protocol, port, number: current.number, pool: current.pool };
}
