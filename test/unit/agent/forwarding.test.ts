import { expect } from 'chai';
import { Forwarding } from '../../../agent/forwarding.ts';
import { NftError } from '../../../agent/nftables/run-nft.ts';
import type { ServiceObserver } from '../../../agent/service-observer.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { FakeKernel } from './support/fake-kernel.ts';
import { endpoint, loadBalancer, service, slice } from './support/objects.ts';

function setUp(observers: ServiceObserver[] = []) {
  const kernel = new FakeKernel();
  const unusable: string[] = [];
  const stores = {
    services: new Store<Service>(),
    slices: new Store<EndpointSlice>(),
    loadBalancers: new Store<LoadBalancer>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCIDR>(),
  };
  const forwarding = new Forwarding({
    nodeName: 'n1',
    stores,
    clusterCidrs: [],
    nodePortAddresses: 'primary',
    markBit: 1,
    auditMs: 3_600_000,
    log: silentLogger,
    nft: kernel.nft,
    observers,
    onUnusable: (key, error) => unusable.push(`${key}: ${error.message}`),
  });
  return { kernel, stores, forwarding, unusable };
}

const WEB = 'ip services 10.96.0.1 . tcp . 80';

describe('agent: from stores to the kernel', () => {
  let parts: ReturnType<typeof setUp>;

  beforeEach(() => {
    parts = setUp();
  });

  afterEach(async () => {
    await parts.forwarding.stop();
  });

  it('writes nothing before it is told that the stores are whole', async () => {
    const { kernel, stores, forwarding } = parts;
    stores.services.upsert(service('web'));
    await forwarding.settled();
    expect(kernel.runs).to.deep.equal([]);
    expect(forwarding.isProgrammed).to.equal(false);

    await forwarding.start();
    expect(kernel.taken).to.have.length(1);
    expect(forwarding.isProgrammed).to.equal(true);
  });

  it('compiles what comes after a start with nothing', async () => {
    const { kernel, stores, forwarding } = parts;
    await forwarding.start();

    stores.services.upsert(service('web'));
    await forwarding.settled();
    stores.slices.upsert(slice('web', [endpoint('10.0.0.1')]));
    await forwarding.settled();

    expect(kernel.meaning().get(WEB)).to.equal('pick: 10.0.0.1 . 8080');
    expect(forwarding.counts).to.include({ services: 1, endpoints: 1, elements: kernel.size });
  });

  it('serves Services, and takes them away, whatever goes wrong with who looks on', async () => {
    const broken: ServiceObserver = {
      compiled: () => {
        throw new Error('who looks on is broken');
      },
      applied: () => {},
    };
    const { kernel, stores, forwarding } = setUp([broken]);
    stores.services.upsert(service('web'));
    stores.slices.upsert(slice('web', [endpoint('10.0.0.1')]));
    await forwarding.start();
    expect(kernel.meaning().get(WEB)).to.equal('pick: 10.0.0.1 . 8080');
    expect([...forwarding.leftOut()]).to.deep.equal([]);

    stores.services.remove(service('web'));
    await forwarding.settled();
    expect(kernel.meaning().has(WEB)).to.equal(false);
    await forwarding.stop();
  });

  it('makes one transaction of what is told in one go', async () => {
    const { kernel, stores, forwarding } = parts;
    await forwarding.start();
    const before = kernel.taken.length;

    for (let host = 1; host <= 50; host++) {
      stores.services.upsert(service(`s${host}`, { clusterIPs: [`10.96.1.${host}`] }));
      stores.slices.upsert(slice(`s${host}`, [endpoint(`10.0.1.${host}`)]));
    }
    await forwarding.settled();

    expect(kernel.taken.length - before).to.equal(1);
    expect(forwarding.counts.services).to.equal(50);
  });

  it('touches only the Service that a slice names', async () => {
    const { kernel, stores, forwarding } = parts;
    for (let host = 1; host <= 5; host++) {
      stores.services.upsert(service(`s${host}`, { clusterIPs: [`10.96.1.${host}`] }));
      stores.slices.upsert(slice(`s${host}`, [endpoint(`10.0.1.${host}`)]));
    }
    await forwarding.start();

    stores.slices.upsert(slice('s3', [endpoint('10.0.1.33')]));
    await forwarding.settled();

    expect(
      kernel.taken
        .at(-1)
        ?.split('\n')
        .filter((line) => line !== ''),
    ).to.deep.equal([
      'delete element ip fairlead service-endpoints { 10.96.1.3 . tcp . 80 . 0 }',
      'add element ip fairlead service-endpoints { 10.96.1.3 . tcp . 80 . 0 : 10.0.1.33 . 8080 }',
    ]);
  });

  it('moves a slice that changes its Service', async () => {
    const { kernel, stores, forwarding } = parts;
    stores.services.replace([service('a'), service('b', { clusterIPs: ['10.96.0.2'] })]);
    stores.slices.upsert(slice('a', [endpoint('10.0.0.1')], { name: 'moving' }));
    await forwarding.start();

    stores.slices.upsert(slice('b', [endpoint('10.0.0.1')], { name: 'moving' }));
    await forwarding.settled();

    expect(kernel.meaning().get(WEB)).to.equal('refused');
    expect(kernel.meaning().get('ip services 10.96.0.2 . tcp . 80')).to.equal('pick: 10.0.0.1 . 8080');
  });

  it('serves a load balancer of this Service, and none of a dead namesake', async () => {
    const { kernel, stores, forwarding } = parts;
    stores.services.upsert(service('web'));
    await forwarding.start();
    const addresses = [{ address: '198.18.0.200', family: 'IPv4' as const, pool: 'p' }];

    stores.loadBalancers.upsert(loadBalancer('web', { addresses }, 'uid-of-the-dead'));
    await forwarding.settled();
    expect(kernel.meaning().has('ip services 198.18.0.200 . tcp . 80')).to.equal(false);

    stores.loadBalancers.upsert(loadBalancer('web', { addresses }));
    await forwarding.settled();
    expect(kernel.meaning().has('ip services 198.18.0.200 . tcp . 80')).to.equal(true);
  });

  it('keeps what a Service had when it becomes unusable, and says so once for each reason', async () => {
    const { kernel, stores, forwarding, unusable } = parts;
    stores.services.upsert(service('web'));
    stores.slices.upsert(slice('web', [endpoint('10.0.0.1')]));
    await forwarding.start();

    stores.services.upsert(service('web', { externalIPs: ['nonsense'] }));
    await forwarding.settled();
    expect([...forwarding.leftOut().keys()]).to.deep.equal(['default/web']);
    expect(kernel.meaning().get(WEB)).to.equal('pick: 10.0.0.1 . 8080');
    expect(unusable).to.have.length(1);
    expect(unusable[0]).to.contain('default/web').and.to.contain('nonsense');

    stores.slices.upsert(slice('web', [endpoint('10.0.0.2')]));
    await forwarding.settled();
    expect(unusable).to.have.length(1);

    stores.services.remove(service('web'));
    await forwarding.settled();
    expect([...forwarding.leftOut()]).to.deep.equal([]);
    expect(kernel.meaning().size).to.equal(0);
  });

  it('follows the addresses of its Node, and keeps them when the Node is gone', async () => {
    const { kernel, stores, forwarding } = parts;
    const node = (address: string): Node => ({
      metadata: { name: 'n1' },
      status: { addresses: [{ type: 'InternalIP', address }] },
    });
    stores.nodes.upsert(node('10.89.0.11'));
    await forwarding.start();

    stores.nodes.upsert(node('10.89.0.12'));
    await forwarding.settled();
    expect([...kernel.meaning().keys()]).to.deep.equal(['ip nodeport-ips 10.89.0.12']);
    stores.nodes.remove(node('10.89.0.12'));
    await forwarding.settled();
    expect([...kernel.meaning().keys()]).to.deep.equal(['ip nodeport-ips 10.89.0.12']);
  });

  it('drops what is unallocated in the ranges that the cluster tells, as they change', async () => {
    const { kernel, stores, forwarding } = parts;
    await forwarding.start();
    const drops = () =>
      kernel.tables
        .get('ip')
        ?.chains.get('filter-forward')
        ?.filter((rule) => rule.includes('drop'));
    expect(drops()).to.deep.equal([]);

    stores.serviceCidrs.upsert({
      metadata: { name: 'kubernetes' },
      spec: { cidrs: ['10.96.0.0/16', 'fd00:96::/112'] },
    });
    await forwarding.settled();

    expect(drops()).to.deep.equal(['ct state new ip daddr { 10.96.0.0/16 } drop']);
  });

  it('tries again when nft does not work, and is not well meanwhile', async () => {
    const { kernel, stores, forwarding } = parts;
    stores.services.upsert(service('web'));
    kernel.down = new NftError('Unavailable', 'no nft');
    await forwarding.start();
    expect(forwarding.isProgrammed).to.equal(false);
    expect(forwarding.waitingMs).to.be.a('number');

    kernel.down = undefined;
    const deadline = Date.now() + 30_000;
    while (!forwarding.isProgrammed && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));

    expect(forwarding.isProgrammed).to.equal(true);
    expect(forwarding.waitingMs).to.equal(undefined);
    expect(kernel.meaning().get(WEB)).to.equal('refused');
  });
});
