import type { EdgeReport } from '../../../../crds/haproxy-provider.ts';
import { LOAD_BALANCERS } from '../../../../crds/resources.ts';
import { applyStatus } from '../../../../kube/apply.ts';
import type { Fixture } from './objects.ts';

/**
 * What an edge says of the Service's load balancer, at all of its addresses, written as edges write it: an entry of its own,
 * by a field manager of its own.
 */
export async function reportEdge(
  fixture: Fixture,
  of: { service: string; provider?: string; edge: string },
  more: Partial<EdgeReport> = {},
): Promise<void> {
  const { edge, provider, service } = of;
  const { metadata, spec } = await fixture.untilLoadBalancer(service, () => true, 'there', provider);
  const addresses = (spec.addresses ?? []).map(({ address }) => address);
  const entry: EdgeReport = { name: edge, serving: true, addresses, haproxy: '2.6.12', ...more };
  await applyStatus(
    fixture.client,
    LOAD_BALANCERS,
    { metadata, status: { edges: [entry] } },
    { fieldManager: `fairlead-edge-${edge}` },
  );
}
