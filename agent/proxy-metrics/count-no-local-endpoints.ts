import type { Family } from '../endpoints/canonical-address.ts';
import { chooseEndpoints } from '../endpoints/choose-endpoints.ts';
import { collectEndpoints, portKey } from '../endpoints/collect-endpoints.ts';
import { familiesOf } from '../service-families.ts';
import type { ServedInputs } from '../service-observer.ts';
import type { TrafficPolicy } from './proxy-metrics.ts';

/** Ports whose endpoints are all elsewhere, though their traffic must stay on the node. */
export type NoLocalEndpoints = ReadonlyMap<Family, Readonly<Record<TrafficPolicy, number>>>;

/** As kube-proxy counts them: by port of a Service, under the policy that keeps its traffic here. Null: none. */
export function countNoLocalEndpoints(inputs: ServedInputs, nodeName: string): NoLocalEndpoints | null {
  const { service, slices } = inputs;
  const { internalTrafficPolicy, externalTrafficPolicy, ports = [] } = service.spec;
  const isInternal = internalTrafficPolicy === 'Local' && inputs.part === 'Everything';
  const isExternal = externalTrafficPolicy === 'Local';
  if (!isInternal && !isExternal) return null;
  const byPort = collectEndpoints(slices, nodeName);
  const counts = new Map<Family, Record<TrafficPolicy, number>>();
  for (const family of familiesOf(service)) {
    const lacking = ports.filter(({ name, protocol }) => {
      const endpoints = byPort.get(portKey(family, name, protocol)) ?? [];
      // Hints choose among endpoints, but never leave none.
      const { cluster, local } = chooseEndpoints(endpoints, { nodeName });
      return cluster.length > 0 && local.length === 0;
    }).length;
    if (lacking === 0) continue;
    counts.set(family, { internal: isInternal ? lacking : 0, external: isExternal ? lacking : 0 });
  }
  return counts.size === 0 ? null : counts;
}
