import { expect } from 'chai';
import { Forwarding } from '../../../agent/forwarding.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { eventually } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import { buildCluster, buildSlice, clusterIpAt } from './support/synthetic-cluster.ts';

const NODE = 'restless';
const SERVICES = 50;
const POD = '10.244.1.1';
/** So often that, whatever is applied, there is a change that waits. */
const EVERY_MS = 3;

describe('agent: its tables altered by hand while changes never stop', function () {
  this.timeout(120_000);
  const nft = createNft(['ip', 'netns', 'exec', NODE]);
  let stores: ReturnType<typeof createStores>;
  let forwarding: Forwarding;
  let findings: string[];
  let changes = 0;
  let churn: NodeJS.Timeout;

  before(async () => {
    await run('ip', 'netns', 'add', NODE);
  });

  beforeEach(async () => {
    findings = [];
    stores = createStores();
    forwarding = new Forwarding({
      nodeName: NODE,
      stores,
      clusterCidrs: [],
      nodePortAddresses: 'primary',
      markBit: 0x2000,
      auditMs: 1_000,
      log: silentLogger,
      nft,
      onFinding: (finding) => findings.push(finding),
    });
    const cluster = buildCluster({ services: SERVICES, endpoints: [POD] });
    stores.services.replace(cluster.services);
    stores.slices.replace(cluster.slices);
    stores.nodes.replace([{ metadata: { name: NODE } }]);
    stores.serviceCidrs.replace([]);
    await forwarding.start();
    churn = setInterval(() => {
      const index = 1 + (changes++ % (SERVICES - 1));
      stores.slices.upsert(buildSlice(index, [`10.244.2.${1 + (changes % 200)}`, POD]));
    }, EVERY_MS);
  });

  afterEach(async () => {
    clearInterval(churn);
    await forwarding.stop();
  });

  after(async () => {
    await run('ip', 'netns', 'delete', NODE);
  });

  const damages: [what: string, element: string][] = [
    ['a map of many changes', `services { ${clusterIpAt(0)} . tcp . 80 }`],
    ['one of the last sets that are looked at', `cluster-ips { ${clusterIpAt(0)} }`],
  ];
  for (const [what, element] of damages) {
    it(`repairs an element that was deleted from ${what}`, async () => {
      await nft({ args: ['-f', '-'], input: `delete element ip fairlead ${element}\n` });
      const before = changes;

      await eventually(
        () => nft({ args: ['get', 'element', 'ip', 'fairlead', ...element.split(' ')] }),
        60_000,
      );

      expect(findings).to.deep.equal(['ElementsDiffer']);
      expect(changes).to.be.greaterThan(before);
    });
  }

  it('takes no change for damage', async () => {
    const before = forwarding.generation;
    await eventually(() => expect(forwarding.generation).to.be.greaterThan(before + 60), 60_000);

    expect(findings).to.deep.equal([]);
  });
});

function createStores() {
  return {
    services: new Store<Service>(),
    slices: new Store<EndpointSlice>(),
    loadBalancers: new Store<LoadBalancer>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCIDR>(),
  };
}
