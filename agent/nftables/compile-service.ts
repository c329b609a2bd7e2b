import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { EndpointSlice, Service } from '../../kube/objects.ts';
import { chooseEndpoints } from '../endpoints/choose-endpoints.ts';
import { collectEndpoints, portKey } from '../endpoints/collect-endpoints.ts';
import { decideServed, type NotServedReason, type ServedPart } from '../endpoints/decide-served.ts';
import type { NodeContext } from '../node-context.ts';
import { buildPortFrontends } from './build-port-frontends.ts';
import { collectFrontAddresses } from './collect-front-addresses.ts';
import { type Entry, type Frontend, idOf } from './model.ts';
import { readSourceRanges } from './read-source-ranges.ts';
import { UnusableServiceError } from './unusable-service-error.ts';

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
  /** What of the Service has rules; null: nothing, by intention. */
  part: ServedPart | null;
  /** Set when it has none. */
  notServed: NotServedReason | null;
  /** `spec.externalIPs` that no rule of the configuration allows: they have no rules. */
  notAllowed: string[];
}

/**
 * Of one Service, so that nobody can fill every node's memory by one. A hundred ports with a node port each and five hundred
 * endpoints are within it; with session affinity an endpoint counts as much as it takes.
 */
const LARGEST = 200_000;
const STICKY_SIZE = 5;

/**
 * Everything that the kernel must hold for one Service. Throws UnusableServiceError for one that no API server would have
 * let through: what goes into the kernel's tables is checked here, whoever wrote it.
 */
export function compileService(inputs: ServiceInputs, node: NodeContext): CompiledService {
  const { service, slices, loadBalancers } = inputs;
  const { part, reason } = decideServed(service, node.serve);
  if (part === null) return { entries: [], endpoints: 0, part, notServed: reason, notAllowed: [] };
  const entries = new Map<string, Entry>();
  const add = (entry: Entry) => {
    const id = idOf(entry);
    if (!entries.has(id)) entries.set(id, entry);
  };
  const { byFamily, notAllowed } = collectFrontAddresses(service, loadBalancers, part, node);
  const byPort = collectEndpoints(slices, node.nodeName);
  let endpoints = 0;
  let size = 0;
  for (const [family, addresses] of byFamily) {
    if (part === 'Everything') add({ family, place: 'cluster-ips', key: addresses.clusterIp });
    const ranges = readSourceRanges(service, family, addresses.vips, node.addresses);
    for (const port of service.spec.ports ?? []) {
      const choice = chooseEndpoints(byPort.get(portKey(family, port.name, port.protocol)) ?? [], node);
      const frontends = buildPortFrontends({
        service,
        part,
        port,
        family,
        addresses,
        ranges,
        choice,
        loadBalancers,
      });
      if (frontends.length === 0) continue;
      endpoints += choice.cluster.length;
      size += frontends.reduce((sum, frontend) => sum + sizeOf(frontend), 0);
      if (size > LARGEST)
        throw new UnusableServiceError(`ports times endpoints: more than ${LARGEST} of one Service`);
      for (const frontend of frontends) add(frontend);
      for (const { local, address } of [...choice.cluster, ...choice.local]) {
        if (local) add({ family, place: 'hairpin', key: `${address} . ${address}` });
      }
    }
  }
  return { entries: [...entries.values()], endpoints, part, notServed: null, notAllowed };
}

function sizeOf({ endpoints, near = [], sticky }: Frontend): number {
  return (endpoints.length + near.length) * (sticky === undefined ? 1 : STICKY_SIZE);
}
