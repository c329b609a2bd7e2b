import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service, ServicePort } from '../../kube/objects.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { EndpointChoice } from '../endpoints/choose-endpoints.ts';
import type { PortEndpoint } from '../endpoints/collect-endpoints.ts';
import type { ServedPart } from '../endpoints/decide-served.ts';
import { buildStickyPool } from './build-sticky-pool.ts';
import type { FrontAddresses } from './collect-front-addresses.ts';
import type { Frontend, FrontendMap, StickyPool, StickyPools } from './model.ts';
import { UnusableServiceError } from './unusable-service-error.ts';

export interface PortInputs {
  service: Service;
  part: ServedPart;
  port: ServicePort;
  family: Family;
  addresses: FrontAddresses;
  /** Who may reach the load balancers' addresses; undefined: everybody. */
  ranges: readonly string[] | undefined;
  choice: EndpointChoice;
  loadBalancers: readonly LoadBalancer[];
}

/** What all frontends of one traffic policy have in common. */
type Way = Pick<Frontend, 'family' | 'treatment' | 'endpoints' | 'near' | 'whenEmpty' | 'sticky'>;

/** Everything that clients dial to reach one port of a Service over one family. Throws UnusableServiceError. */
export function buildPortFrontends(inputs: PortInputs): Frontend[] {
  const { part, port, addresses, ranges, loadBalancers } = inputs;
  const protocol = protocolOf(port);
  const at = `${protocol} . ${checkPort(port.port)}`;
  const cluster = targetsOf(inputs.choice.cluster);
  const local = targetsOf(inputs.choice.local);
  const makeSticky = stickyMaker(inputs);
  const outer = buildOuterWay(inputs, cluster, local, makeSticky);
  const frontends: Frontend[] = [];
  const addService = (way: Way, address: string, more: { ranges?: readonly string[] } = {}) =>
    frontends.push(build('services', `${address} . ${at}`, { ...way, ...more }));
  const addNodePort = (number: number) =>
    frontends.push(build('nodeports', `${protocol} . ${checkPort(number)}`, outer));
  if (part === 'Everything')
    addService(buildInnerWay(inputs, cluster, local, makeSticky), addresses.clusterIp);
  for (const vip of addresses.vips) addService(outer, vip, ranges === undefined ? {} : { ranges });
  for (const address of addresses.externalIps) addService(outer, address);
  for (const number of collectNodePorts(part, port, loadBalancers)) addNodePort(number);
  return frontends;
}

/** For clients in the cluster. Endpoints elsewhere make a connection that may not leave the node be dropped, not refused. */
function buildInnerWay(
  { service, family }: PortInputs,
  cluster: readonly string[],
  local: readonly string[],
  makeSticky: MakeSticky,
): Way {
  if (service.spec.internalTrafficPolicy !== 'Local') {
    return { family, treatment: 'pick', endpoints: cluster, ...makeSticky(cluster) };
  }
  if (local.length === 0 && cluster.length > 0) {
    return { family, treatment: 'pick', endpoints: [], whenEmpty: 'drop' };
  }
  return { family, treatment: 'pick', endpoints: local, ...makeSticky(local) };
}

/** For clients from outside. */
function buildOuterWay(
  { service, family }: PortInputs,
  cluster: readonly string[],
  local: readonly string[],
  makeSticky: MakeSticky,
): Way {
  if (service.spec.externalTrafficPolicy !== 'Local') {
    return { family, treatment: 'external', endpoints: cluster, ...makeSticky(cluster) };
  }
  return {
    family,
    treatment: 'local',
    endpoints: cluster,
    near: local,
    ...makeSticky(cluster, local),
  };
}

/** Three hours, as the API server writes it where nothing is said. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

type MakeSticky = (any: readonly string[], near?: readonly string[]) => { sticky?: StickyPools };

/** Lists that are one are one pool: with a thousand endpoints that is most of what it takes to compile the Service. */
function stickyMaker({ service, port, family }: PortInputs): MakeSticky {
  if (service.spec.sessionAffinity !== 'ClientIP') return () => ({});
  const { namespace = '', name } = service.metadata;
  const stickyPort = {
    family,
    owner: `${namespace}/${name}:${port.name ?? ''}`,
    protocol: protocolOf(port),
    seconds: service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS,
  };
  const pools = new Map<readonly string[], StickyPool>();
  const poolOf = (endpoints: readonly string[]) => {
    const pool = pools.get(endpoints) ?? buildStickyPool(stickyPort, endpoints);
    pools.set(endpoints, pool);
    return pool;
  };
  return (any, near = []) => {
    if (any.length === 0) return {};
    return { sticky: { any: poolOf(any), ...(near.length === 0 ? {} : { near: poolOf(near) }) } };
  };
}

function build(place: FrontendMap, key: string, way: Omit<Frontend, 'place' | 'key'>): Frontend {
  const { family, ...rest } = way;
  return { family, place, key, ...rest };
}

/** Shared by all frontends of a port: at 10,000 Services copies would be most of the memory. */
function targetsOf(endpoints: readonly PortEndpoint[]): string[] {
  return endpoints.map(({ address, port }) => `${address} . ${checkPort(port)}`).sort();
}

/**
 * Ports of the node that lead to a port of a Service: its node port, where the Service is served wholly, and those claimed
 * from a PortPool for its load balancers.
 */
export function collectNodePorts(
  part: ServedPart,
  port: ServicePort,
  loadBalancers: readonly LoadBalancer[],
): number[] {
  const forwardingPorts = loadBalancers
    .flatMap((loadBalancer) => loadBalancer.spec.frontends ?? [])
    .filter((frontend) => frontend.port === port.port && frontend.protocol === (port.protocol ?? 'TCP'))
    .flatMap((frontend) => frontend.forwardingPort ?? []);
  return part === 'Everything' && port.nodePort ? [port.nodePort, ...forwardingPorts] : forwardingPorts;
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

function protocolOf(port: ServicePort): string {
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  if (!PROTOCOLS.has(protocol))
    throw new UnusableServiceError(`protocol ${JSON.stringify(port.protocol)} is unknown`);
  return protocol;
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port;
  throw new UnusableServiceError(`${JSON.stringify(port)} is no port`);
}
