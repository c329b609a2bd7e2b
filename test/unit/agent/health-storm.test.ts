import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Forwarding } from '../../../agent/forwarding.ts';
import type { Nft } from '../../../agent/nftables/run-nft.ts';
import type { ServiceObserver } from '../../../agent/service-observer.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { FakeKernel } from './support/fake-kernel.ts';
import { endpoint, service, slice } from './support/objects.ts';

const ROUNDS = 20;

describe('agent: changes that never stop coming', () => {
  const stores = {
    services: new Store<Service>(),
    slices: new Store<EndpointSlice>(),
    loadBalancers: new Store<LoadBalancer>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCIDR>(),
  };
  /** By round, as it stood when the transaction of the round began. */
  const rounds: { at: number; waitingMs: number; told: string[] }[] = [];
  const told: string[] = [];
  let forwarding: Forwarding;

  before(async () => {
    const kernel = new FakeKernel();
    let storm = false;
    const nft: Nft = async (run) => {
      if (storm && rounds.length < ROUNDS) {
        const { waitingMs = 0 } = forwarding;
        rounds.push({ at: performance.now(), waitingMs, told: [...told] });
        // While this transaction runs the next change comes in, and is compiled.
        stores.slices.upsert(slice('web', [endpoint(`10.0.0.${rounds.length + 1}`)]));
        await sleep(5);
      }
      return kernel.nft(run);
    };
    const observer: ServiceObserver = {
      compiled: (_, inputs) => told.push(`compiled ${inputs?.slices[0]?.endpoints?.[0]?.addresses[0]}`),
      taken: () => told.push('taken'),
      takenApplied: () => told.push('takenApplied'),
      applied: () => told.push('applied'),
    };
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
    stores.services.upsert(service('web'));
    await forwarding.start();
    told.length = 0;
    storm = true;
    stores.slices.upsert(slice('web', [endpoint('10.0.0.1')]));
    await forwarding.settled();
    while (rounds.length < ROUNDS || forwarding.waitingMs !== undefined) await forwarding.settled();
  });

  after(() => forwarding.stop());

  it('do not make a change seem to wait that is long in the kernel', () => {
    const [last, earlier] = [rounds.at(-1), rounds.at(ROUNDS / 2)];
    expect(rounds).to.have.length(ROUNDS);
    expect(last?.waitingMs).to.be.below((last?.at ?? 0) - (earlier?.at ?? 0));
  });

  it('are told bit by bit, each only once it is in the kernel', () => {
    // At the beginning of the third transaction the second change is in the kernel, and the third isn't.
    expect(rounds[2]?.told).to.deep.equal([
      'compiled 10.0.0.1',
      'taken',
      'compiled 10.0.0.2',
      'takenApplied',
      'taken',
      'compiled 10.0.0.3',
      'takenApplied',
      'taken',
    ]);
  });

  it('are told to be in the kernel altogether only when they are', () => {
    expect(rounds.at(-1)?.told).to.not.include('applied');
    expect(told.slice(-2)).to.deep.equal(['takenApplied', 'applied']);
  });
});
