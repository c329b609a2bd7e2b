import { expect } from 'chai';
import { Forwarding } from '../../../agent/forwarding.ts';
import { createNft, type Nft } from '../../../agent/nftables/run-nft.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { eventually } from '../../support/eventually.ts';

describe('an agent that is stopped', function () {
  this.timeout(40_000);

  it("doesn't wait for a look of the audit that takes its time", async () => {
    const kernel = createNft();
    let looks = 0;
    // As nft with very many elements: its answer takes longer than anybody waits.
    const nft: Nft = async (run) => {
      if (run.onText === undefined || run.signal === undefined) return await kernel(run);
      looks++;
      const { signal } = run;
      return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const forwarding = new Forwarding({
      nodeName: 'n1',
      stores: {
        services: new Store<Service>(),
        slices: new Store<EndpointSlice>(),
        loadBalancers: new Store<LoadBalancer>(),
        nodes: new Store<Node>(),
        serviceCidrs: new Store<ServiceCIDR>(),
      },
      clusterCidrs: [],
      nodePortAddresses: 'primary',
      markBit: 1,
      auditMs: 50,
      log: silentLogger,
      nft,
    });
    await forwarding.start();
    try {
      await eventually(async () => expect(looks).to.equal(1));
      await forwarding.stop();
    } finally {
      await kernel({ args: ['-f', '-'], input: 'delete table ip fairlead\ndelete table ip6 fairlead\n' });
    }
  });
});
