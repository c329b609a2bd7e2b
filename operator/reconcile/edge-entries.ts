import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Store } from '../../kube/store.ts';
import type { Edges } from '../../providers/haproxy/edges.ts';
import type { LiveLeases } from './live-leases.ts';

/** What edges wrote into LoadBalancers, and the Leases by which they say that they are there. */
export function createEdges(
  client: KubeClient,
  loadBalancers: Store<LoadBalancer>,
  leases: LiveLeases,
): Edges {
  return {
    reportsOf: ({ namespace, name }) => loadBalancers.get(`${namespace}/${name}`)?.status?.edges ?? [],
    silentSeconds: (provider, edge) => leases.expiredSeconds(`${provider}/${edge}`),
    isLive: (provider, edge) => leases.isLive(`${provider}/${edge}`),
    isUnproven: (provider, edge) => leases.isUnproven(`${provider}/${edge}`),
    takeOut: async ({ namespace, name }, edge) => {
      const loadBalancer = loadBalancers.get(`${namespace}/${name}`);
      if (loadBalancer === undefined) return;
      try {
        // In its name, who has nothing to say any more.
        await applyStatus(
          client,
          LOAD_BALANCERS,
          { metadata: loadBalancer.metadata, status: {} },
          { fieldManager: `fairlead-edge-${edge}` },
        );
      } catch (error) {
        // The object that it stood in is gone.
        if (!isClass(error, 'NotFound', 'Conflict')) throw error;
      }
    },
  };
}
