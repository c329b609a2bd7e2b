import type { LoadBalancerSpec } from '../../crds/load-balancer.ts';
import type { Protocol, Service } from '../../kube/objects.ts';
import { splitList } from '../../kube/split-list.ts';
import type { PortKind } from './port-book.ts';

/** One port of a Service, and the number it has by now. */
export interface RequestedPort {
  protocol: Protocol;
  port: number;
  /** `pool`: claimed from it; without one, Kubernetes or a person chose the number. */
  current?: { number: number; pool?: string | undefined } | undefined;
}

/** What one Service asks of the port pools: plain data. */
export interface PortRequest {
  kind: PortKind;
  /** As in PortHolding. */
  owner: string;
  namespace: string;
  namespaceLabels: Readonly<Record<string, string>>;
  /** Pools asked for, in the order to try them; empty: any that serves. */
  pools: readonly string[];
  ports: readonly RequestedPort[];
  /** Numbers that the API server refused in this round. */
  excluded?: ReadonlySet<number> | undefined;
}

/**
 * Reads the request out of a Service and the LoadBalancer decided before, if any. A node port counts as claimed when the
 * LoadBalancer says which pool it came from and the Service still has it.
 */
export function buildPortRequest(
  service: Service,
  context: {
    kind: PortKind;
    owner: string;
    namespaceLabels?: Readonly<Record<string, string>> | undefined;
    before?: Pick<LoadBalancerSpec, 'frontends'> | undefined;
    excluded?: ReadonlySet<number> | undefined;
  },
): PortRequest {
  const { kind, before } = context;
  const ports = (service.spec.ports ?? []).map((servicePort): RequestedPort => {
    const { port, protocol = 'TCP', nodePort } = servicePort;
    const frontend = before?.frontends?.find((one) => one.port === port && one.protocol === protocol);
    const number = kind === 'nodePort' ? nodePort : frontend?.forwardingPort;
    if (number === undefined || number === 0) return { protocol, port };
    return {
      protocol,
      port,
      current: { number, pool: frontend?.[kind] === number ? frontend.portPool : undefined },
    };
  });
  return {
    kind,
    owner: context.owner,
    namespace: service.metadata.namespace ?? '',
    namespaceLabels: context.namespaceLabels ?? {},
    pools: splitList(service.metadata.annotations?.['fairlead.dev/port-pool']),
    ports,
    excluded: context.excluded,
  };
}
