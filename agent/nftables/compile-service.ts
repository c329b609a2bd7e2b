import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { EndpointSlice, Service, ServicePort } from '../../kube/objects.ts';
import { canonicalAddress, type Family } from '../endpoints/canonical-address.ts';
import { chooseEndpoints } from '../endpoints/choose-endpoints.ts';
import { collectEndpoints, type PortEndpoint, portKey } from '../endpoints/collect-endpoints.ts';
import { type NotServedReason, reasonNotServed } from '../endpoints/decide-served.ts';
import { collectVips } from './collect-vips.ts';
import { type Entry, type Frontend, type FrontendMap, idOf, type Treatment } from './model.ts';

export interface ServiceInputs {
  service: Service;
  /** All EndpointSlices of the Service. */
  slices: readonly EndpointSlice[];
  /** The LoadBalancers in the Service's namespace that name it. */
  loadBalancers: readonly LoadBalancer[];
}

export interface CompiledService {
  /** No two with the same id. */
  entries: Entry[];
  /** Distinct addresses and ports that serve it. */
  endpoints: number;
  /** Set when the Service gets no rules, by intention. */
  notServed: NotServedReason | null;
}

/** The Service can't be forwarded as it is; the message tells what is wrong with it. */
export class UnusableServiceError extends Error {}

/**
 * Everything that the kernel must hold for one Service. Throws UnusableServiceError for one that no API server would have
 * let through: what goes into the kernel's tables is checked here, whoever wrote it.
 */
export function compileService(inputs: ServiceInputs, nodeName: string): CompiledService {
  const { service, slices, loadBalancers } = inputs;
  const notServed = reasonNotServed(service);
  if (notServed !== null) return { entries: [], endpoints: 0, notServed };
  const entries = new Map<string, Entry>();
  const add = (entry: Entry) => {
    const id = idOf(entry);
    if (!entries.has(id)) entries.set(id, entry);
  };
  const addresses = collectFrontAddresses(service, loadBalancers);
  const byPort = collectEndpoints(slices, nodeName);
  let endpoints = 0;
  for (const [family, { clusterIp, external }] of addresses) {
    add({ family, place: 'cluster-ips', key: clusterIp });
    for (const port of service.spec.ports ?? []) {
      const { cluster } = chooseEndpoints(byPort.get(portKey(family, port.name, port.protocol)) ?? []);
      endpoints += cluster.length;
      for (const frontend of buildFrontends(port, family, { clusterIp, external }, cluster)) add(frontend);
      for (const forwardingPort of findForwardingPorts(port, loadBalancers)) {
        add(atNodePort(forwardingPort, protocolOf(port), family, cluster));
      }
      for (const { local, address } of cluster) {
        if (local) add({ family, place: 'hairpin', key: `${address} . ${address}` });
      }
    }
  }
  return { entries: [...entries.values()], endpoints, notServed: null };
}

interface FrontAddresses {
  clusterIp: string;
  /** Load balancers' addresses and external ones. */
  external: string[];
}

/** By family; a family without a ClusterIP isn't served, whatever addresses it has (as kube-proxy). */
function collectFrontAddresses(
  service: Service,
  loadBalancers: readonly LoadBalancer[],
): Map<Family, FrontAddresses> {
  const { clusterIP, clusterIPs, externalIPs } = service.spec;
  const byFamily = new Map<Family, FrontAddresses>();
  for (const text of clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP])) {
    const address = canonicalAddress(text);
    if (address === null) throw new UnusableServiceError(`clusterIP ${JSON.stringify(text)} is no address`);
    byFamily.set(address.family, { clusterIp: address.text, external: [] });
  }
  for (const text of [...collectVips(service, loadBalancers), ...(externalIPs ?? [])]) {
    const address = canonicalAddress(text);
    if (address === null) throw new UnusableServiceError(`${JSON.stringify(text)} is no address`);
    byFamily.get(address.family)?.external.push(address.text);
  }
  return byFamily;
}

function buildFrontends(
  port: ServicePort,
  family: Family,
  addresses: FrontAddresses,
  endpoints: readonly PortEndpoint[],
): Frontend[] {
  const protocol = protocolOf(port);
  const at = `${protocol} . ${checkPort(port.port)}`;
  const frontends = [
    build('services', `${addresses.clusterIp} . ${at}`, 'pick', family, endpoints),
    ...addresses.external.map((address) =>
      build('services', `${address} . ${at}`, 'external', family, endpoints),
    ),
  ];
  if (port.nodePort) frontends.push(atNodePort(port.nodePort, protocol, family, endpoints));
  return frontends;
}

function atNodePort(
  port: number,
  protocol: string,
  family: Family,
  endpoints: readonly PortEndpoint[],
): Frontend {
  return build('nodeports', `${protocol} . ${checkPort(port)}`, 'nodeport', family, endpoints);
}

function build(
  place: FrontendMap,
  key: string,
  treatment: Treatment,
  family: Family,
  endpoints: readonly PortEndpoint[],
): Frontend {
  const targets = endpoints.map(({ address, port }) => `${address} . ${checkPort(port)}`).sort();
  return { family, place, key, treatment, endpoints: targets };
}

/** Ports that nodes forward in the place of node ports, claimed for the load balancers of this port. */
function findForwardingPorts(port: ServicePort, loadBalancers: readonly LoadBalancer[]): number[] {
  return loadBalancers
    .flatMap((loadBalancer) => loadBalancer.spec.frontends ?? [])
    .filter((frontend) => frontend.port === port.port && frontend.protocol === (port.protocol ?? 'TCP'))
    .flatMap((frontend) => frontend.forwardingPort ?? []);
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
