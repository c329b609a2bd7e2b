import type { Frontend } from '../crds/load-balancer.ts';
import type { Endpoint, EndpointSlice } from '../kube/objects.ts';
import type { TargetPod } from './provider.ts';

/** An endpoint as the target of one frontend. */
export type TargetEndpoint = Omit<TargetPod, 'pod' | 'gated'>;

/** Ready in the sense of the EndpointSlice API: nil means true; a terminating endpoint is never ready. */
export function takesTraffic({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true;
}

/** What an endpoint is to each of the frontends, by the names of their ports. */
export function* targetsOf(
  slice: EndpointSlice,
  endpoint: Endpoint,
  frontends: readonly Frontend[],
): Iterable<TargetEndpoint> {
  const [address] = endpoint.addresses;
  if (address === undefined) return;
  for (const { name = '', protocol, port } of frontends) {
    const ports = (slice.ports ?? []).filter(
      (each) => (each.name ?? '') === name && (each.protocol ?? 'TCP') === protocol,
    );
    for (const { port: targetPort } of ports) {
      if (targetPort === undefined) continue;
      const zone = endpoint.zone === undefined ? {} : { zone: endpoint.zone };
      yield { protocol, port, address, targetPort, ...zone };
    }
  }
}
