import { Forwarding } from '../../../../agent/forwarding.ts';
import { createNft } from '../../../../agent/nftables/run-nft.ts';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import { silentLogger } from '../../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../../kube/objects.ts';
import { Store } from '../../../../kube/store.ts';
import { CLUSTER_CIDRS, SERVICE_CIDRS } from '../../support/topology.ts';
import { buildCluster, buildSlice } from './synthetic-cluster.ts';

/**
 * The agent's forwarding as a process of its own, in a node's network namespace, which starts, says `started`, and then
 * changes all the time until it is killed: endpoints, Services that come and go, and everything anew.
 *
 *   restless-agent.ts NODE_NAME SERVICES STICKY_EVERY RESTLESS(yes|no) ENDPOINT...
 */
const [nodeName = '', count = '0', stickyEvery = '0', restless = '', ...endpoints] = process.argv.slice(2);
const services = Number(count);
const stores = {
  services: new Store<Service>(),
  slices: new Store<EndpointSlice>(),
  loadBalancers: new Store<LoadBalancer>(),
  nodes: new Store<Node>(),
  serviceCidrs: new Store<ServiceCIDR>(),
};
const forwarding = new Forwarding({
  nodeName,
  stores,
  clusterCidrs: CLUSTER_CIDRS,
  nodePortAddresses: 'primary',
  markBit: 0x2000,
  auditMs: 100,
  log: silentLogger,
  nft: createNft(),
  onFinding: (finding) => console.log(`found ${finding}`),
});
const cluster = buildCluster({ services, endpoints, stickyEvery: Number(stickyEvery) });
stores.services.replace(cluster.services);
stores.slices.replace(cluster.slices);
stores.nodes.replace([{ metadata: { name: nodeName } }]);
stores.serviceCidrs.replace([{ metadata: { name: 'kubernetes' }, spec: { cidrs: SERVICE_CIDRS } }]);
await forwarding.start();
console.log('started');

for (let turn = 0; restless === 'yes'; turn++) {
  if (turn % 40 === 20) stores.slices.replace(cluster.slices);
  else if (turn % 40 === 30) changeRules(turn);
  else for (let i = 0; i < 10; i++) changeOne();
  await forwarding.settled();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
}
setInterval(() => {}, 1_000);

/** Never of those with affinity: whoever was there comes back there. */
function changeOne(): void {
  const index = Math.floor(Math.random() * services);
  if (index % Number(stickyEvery) === 0) return;
  const start = Math.floor(Math.random() * endpoints.length);
  stores.slices.upsert(buildSlice(index, endpoints.slice(start, start + 1 + Math.floor(Math.random() * 3))));
}

function changeRules(turn: number): void {
  const cidrs = turn % 80 === 30 ? [...SERVICE_CIDRS, '10.97.0.0/16'] : SERVICE_CIDRS;
  stores.serviceCidrs.replace([{ metadata: { name: 'kubernetes' }, spec: { cidrs } }]);
}
