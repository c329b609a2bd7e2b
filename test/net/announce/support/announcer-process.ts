import { startAnnouncer } from '../../../../agent/announce/announcer.ts';
import { LOAD_BALANCERS } from '../../../../crds/resources.ts';
import { KubeClient } from '../../../../kube/client.ts';
import { loadConnectionConfig } from '../../../../kube/config.ts';
import { createInformer } from '../../../../kube/informer.ts';
import { createLogger } from '../../../../kube/log.ts';
import type { EndpointSlice, Node } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, NODES } from '../../../../kube/resources.ts';

/** The announcing half of an agent as a process of its own: `announcer-process.ts <kubeconfig> <node> [Keep|Fence]`. */
const [kubeconfig = '', nodeName = '', apiOutage = 'Keep'] = process.argv.slice(2);
const log = createLogger({ component: `announcer-${nodeName}`, level: 'debug' });
const client = new KubeClient(await loadConnectionConfig({ kubeconfig }));
const loadBalancers = createInformer(client, LOAD_BALANCERS, { log });
const nodes = createInformer(client, NODES, { log, fieldSelector: `metadata.name=${nodeName}` });
const slices = createInformer(client, ENDPOINT_SLICES, { log });
for (const informer of [loadBalancers, nodes, slices]) informer.start();
await Promise.all([loadBalancers.synced, nodes.synced, slices.synced]);

const announcer = await startAnnouncer({
  client,
  nodeName,
  loadBalancers: loadBalancers.store,
  node: (): Node | undefined => nodes.store.get(nodeName),
  readyNodes: (key) => readyNodes(slices.store.list(), key),
  log,
  apiOutage: apiOutage === 'Fence' ? 'Fence' : 'Keep',
});
nodes.store.onChange(() => announcer.reconsider());
slices.store.onChange(() => announcer.reconsider());
announcer.onChange(() =>
  log.info('Announced', { addresses: announcer.announced(), problems: announcer.problems() }),
);
process.on('SIGTERM', () => void announcer.stop().then(() => process.exit(0)));

function readyNodes(all: readonly EndpointSlice[], serviceKey: string): Set<string> {
  const ready = new Set<string>();
  for (const slice of all) {
    const name = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (`${slice.metadata.namespace}/${name}` !== serviceKey) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready !== false && endpoint.nodeName !== undefined)
        ready.add(endpoint.nodeName);
    }
  }
  return ready;
}
