import type { Service } from '../kube/objects.ts';
import { canonicalAddress, type Family } from './endpoints/canonical-address.ts';

/** The families that a Service has a ClusterIP of: no other is served, whatever addresses it has (as kube-proxy). */
export function familiesOf({ spec }: Service): Family[] {
  const texts = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return [
    ...new Set(texts.map((text) => canonicalAddress(text)?.family).filter((family) => family !== undefined)),
  ];
}
