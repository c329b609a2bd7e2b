import { expect } from 'chai';
import { Forwarding } from '../../../agent/forwarding.ts';
import type { Nft } from '../../../agent/nftables/run-nft.ts';
import { describeLostFrontends } from '../../../agent/status/describe-lost-frontends.ts';
import { TellOnce, type Told } from '../../../agent/status/tell-once.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeKernel } from './support/fake-kernel.ts';
import { endpoint, service, slice } from './support/objects.ts';

describe('agent: what Services are told once', () => {
  describe('while changes never end', function () {
    this.timeout(30_000);
    let told: string[];
    let stores: {
      services: Store<Service>;
      slices: Store<EndpointSlice>;
      loadBalancers: Store<LoadBalancer>;
      nodes: Store<Node>;
      serviceCidrs: Store<ServiceCIDR>;
    };
    let forwarding: Forwarding;
    let churning: boolean;

    beforeEach(() => {
      told = [];
      churning = false;
      const kernel = new FakeKernel();
      stores = {
        services: new Store<Service>(),
        slices: new Store<EndpointSlice>(),
        loadBalancers: new Store<LoadBalancer>(),
        nodes: new Store<Node>(),
        serviceCidrs: new Store<ServiceCIDR>(),
      };
      let turn = 0;
      // Whenever a transaction runs, there is a change that it doesn't have.
      const nft: Nft = async (run) => {
        if (churning) stores.slices.upsert(slice('web', [endpoint(`10.0.0.${2 + (turn++ % 200)}`)]));
        await new Promise((resolve) => setImmediate(resolve));
        return await kernel.nft(run);
      };
      const observer = new TellOnce(
        () => describeLostFrontends(forwarding.conflicts()),
        (key, note) => told.push(`${key}: ${note}`),
      );
      forwarding = new Forwarding({
        nodeName: 'n1',
        stores,
        clusterCidrs: [],
        nodePortAddresses: 'primary',
        markBit: 1,
        auditMs: 3_600_000,
        log: silentLogger,
        nft,
        observers: [observer],
      });
    });

    afterEach(async () => {
      churning = false;
      await forwarding.stop();
    });

    const start = async () => {
      stores.services.upsert(service('web'));
      await forwarding.start();
      churning = true;
      stores.slices.upsert(slice('web', [endpoint('10.0.0.1')]));
    };
    const NOTE =
      "default/web2: The older Service default/web has 10.96.0.1 port 80 (TCP); this one isn't served there.";

    it('they are told of others that have what they claim, once', async () => {
      await start();
      stores.services.upsert(service('web2', { clusterIPs: ['10.96.0.1'] }));
      await eventually(async () => expect(told).to.deep.equal([NOTE]), 15_000);

      const generation = forwarding.generation;
      await eventually(async () => expect(forwarding.generation).to.be.greaterThan(generation + 40), 20_000);
      expect(told).to.deep.equal([NOTE]);
    });

    it('and again when it was over', async () => {
      await start();
      const rival = service('web2', { clusterIPs: ['10.96.0.1'] });
      stores.services.upsert(rival);
      await eventually(async () => expect(told).to.have.length(1), 15_000);
      stores.services.remove(rival);
      const generation = forwarding.generation;
      await eventually(async () => expect(forwarding.generation).to.be.greaterThan(generation + 40), 20_000);
      stores.services.upsert(rival);
      await eventually(async () => expect(told).to.deep.equal([NOTE, NOTE]), 15_000);
    });
  });

  describe('while changes come it', () => {
    const matter: Told = { service: 'default/web', note: 'too late' };
    let matters: Told[];
    let told: string[];
    let now: number;
    let observer: TellOnce;
    const commit = () => observer.takenApplied();

    beforeEach(() => {
      matters = [];
      told = [];
      now = 0;
      observer = new TellOnce(
        () => matters,
        (service) => told.push(service),
        () => now,
      );
    });

    it('tells what lasts, and not what a half of a change makes look wrong', () => {
      matters = [matter];
      commit();
      now += 2_000;
      matters = [];
      commit();
      expect(told).to.deep.equal([]);

      now += 2_000;
      matters = [matter];
      commit();
      now += 2_000;
      commit();
      expect(told).to.deep.equal(['default/web']);
    });

    it('tells at once when there is no other change', () => {
      matters = [matter];
      commit();
      expect(told).to.deep.equal([]);
      observer.applied();
      expect(told).to.deep.equal(['default/web']);
      commit();
      observer.applied();
      expect(told).to.deep.equal(['default/web']);
    });

    it('looks rarely, however many transactions there are', () => {
      let looks = 0;
      observer = new TellOnce(
        () => {
          looks++;
          return [];
        },
        () => {},
        () => now,
      );
      for (let count = 0; count < 100; count++) {
        now += 50;
        commit();
      }
      expect(looks).to.be.lessThan(8);
    });
  });
});
