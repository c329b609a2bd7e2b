import { expect } from 'chai';
import { PORT_POOLS } from '../../../crds/resources.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: node ports and forwarding ports', () => {
  let operator: TestOperator;
  let fixture: Fixture;

  before(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster());
  });
  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    await fixture.provider();
    await fixture.pool(['192.0.2.90-192.0.2.99']);
  });
  afterEach(async () => await fixture.clean());
  after(async () => await operator.stop());

  const nodePortOf = async (name: string) => (await fixture.getService(name)).spec.ports?.[0]?.nodePort;
  const without = { allocateLoadBalancerNodePorts: false };

  describe('node ports', () => {
    it('come from the pool, and the LoadBalancer says so', async () => {
      const pool = await fixture.portPool({ nodePorts: ['31500-31509'] });
      await fixture.service('web');
      await fixture.untilAddress('web');

      expect(await nodePortOf('web')).to.equal(31500);
      const loadBalancer = await fixture.getLoadBalancer('web');
      expect(loadBalancer.spec.frontends?.[0]).to.include({ nodePort: 31500, portPool: pool });
    });

    it('are the next ones of the pool when the API server gave the first to a Service that is not ours', async () => {
      await fixture.service('plain', {
        spec: { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 31510 }] },
      });
      await fixture.portPool({ nodePorts: ['31510-31519'] });
      await fixture.service('web');
      await fixture.untilAddress('web');

      expect(await nodePortOf('web')).to.equal(31511);
      expect(await nodePortOf('plain')).to.equal(31510);
    });

    it('stay as a person wrote them', async () => {
      await fixture.portPool({ nodePorts: ['31520-31529'] });
      await fixture.service('web', { spec: { ports: [{ name: 'http', port: 80, nodePort: 31777 }] } });
      await fixture.untilAddress('web');

      expect(await nodePortOf('web')).to.equal(31777);
      expect((await fixture.getLoadBalancer('web')).spec.frontends?.[0]).to.not.have.property('portPool');
    });

    it('are told apart when ten Services ask at once', async () => {
      await fixture.portPool({ nodePorts: ['31530-31539'] });
      const names = Array.from({ length: 10 }, (_, index) => `web-${index}`);
      await Promise.all(names.map((name) => fixture.service(name)));
      await Promise.all(names.map((name) => fixture.untilAddress(name)));

      const ports = await Promise.all(names.map(nodePortOf));
      expect(ports.sort()).to.deep.equal(Array.from({ length: 10 }, (_, index) => 31530 + index));
    });

    it('stay as Kubernetes picked them when a pool comes later, until the Service names it', async () => {
      await fixture.service('web');
      await fixture.untilAddress('web');
      const picked = await nodePortOf('web');
      const pool = await fixture.portPool({ nodePorts: ['31560-31569'] });
      await fixture.service('new');
      await fixture.untilAddress('new');
      expect(await nodePortOf('new')).to.be.within(31560, 31569);
      expect(await nodePortOf('web')).to.equal(picked);

      await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/port-pool': pool } } });
      await fixture.untilLoadBalancer(
        'web',
        (each) => each.spec.frontends?.[0]?.portPool === pool,
        'the pool',
      );
      expect(await nodePortOf('web')).to.be.within(31560, 31569);
    });

    it('hold a Service up when the pool is used up, and come when there is room', async () => {
      const pool = await fixture.portPool({ nodePorts: ['31570'] });
      await fixture.service('first');
      await fixture.untilAddress('first');
      await fixture.service('second');
      await fixture.untilReason('second', 'PortPoolExhausted');

      await fixture.patch(PORT_POOLS, pool, { spec: { nodePorts: ['31570', '31575'] } });

      await fixture.untilAddress('second');
      expect(await nodePortOf('second')).to.equal(31575);
    });

    it('are kept over a restart and a change of the pool', async () => {
      const pool = await fixture.portPool({ nodePorts: ['31540-31549'] });
      await fixture.service('web');
      await fixture.untilAddress('web');
      await fixture.patch(PORT_POOLS, pool, { spec: { nodePorts: ['31550-31559'] } });

      await operator.stop();
      operator = await startTestOperator(await sharedCluster());
      await fixture.service('new');
      await fixture.untilAddress('new');

      expect(await nodePortOf('new')).to.equal(31550);
      expect(await nodePortOf('web')).to.equal(31540);
    });
  });

  describe('forwarding ports', () => {
    it('are claimed for a Service without node ports', async () => {
      const pool = await fixture.portPool({ forwardingPorts: ['20000-20009'] });
      await fixture.service('web', {
        spec: {
          ...without,
          ports: [
            { name: 'http', port: 80 },
            { name: 'https', port: 443 },
          ],
        },
      });
      await fixture.untilAddress('web');

      const { frontends } = (await fixture.getLoadBalancer('web')).spec;
      expect(frontends?.map(({ forwardingPort }) => forwardingPort)).to.deep.equal([20000, 20001]);
      expect(frontends?.map(({ portPool }) => portPool)).to.deep.equal([pool, pool]);
      expect(await nodePortOf('web')).to.equal(undefined);
    });

    it('are not needed where no pool gives any', async () => {
      await fixture.service('web', { spec: without });
      await fixture.untilAddress('web');
      expect((await fixture.getLoadBalancer('web')).spec.frontends?.[0]).to.not.have.property(
        'forwardingPort',
      );
    });

    it('hold the Service up, with the reason, when it asks for a pool that is used up', async () => {
      const pool = await fixture.portPool({ forwardingPorts: ['20010'], autoAssign: false });
      const annotations = { 'fairlead.dev/port-pool': pool };
      await fixture.service('first', { spec: without, annotations });
      await fixture.untilAddress('first');
      await fixture.service('second', { spec: without, annotations });

      const condition = await fixture.untilReason('second', 'PortPoolExhausted');
      expect(condition.message).to.contain(pool);
      await fixture.client.delete(SERVICES, fixture.namespace, 'first');
      await fixture.untilLoadBalancer(
        'second',
        (each) => each.spec.frontends?.[0]?.forwardingPort === 20010,
        'the port',
      );
      await fixture.until(
        'second',
        (each) => conditionOf(each)?.reason !== 'PortPoolExhausted',
        'another reason',
      );
    });

    it('come back when the LoadBalancer is deleted by hand', async () => {
      await fixture.portPool({ forwardingPorts: ['20020-20029'] });
      await fixture.service('filler', { spec: without });
      await fixture.untilAddress('filler');
      await fixture.service('web', { spec: without });
      await fixture.untilAddress('web');
      await fixture.client.delete(SERVICES, fixture.namespace, 'filler');
      await fixture.untilGone(SERVICES, 'filler');
      const { uid } = (await fixture.getLoadBalancer('web')).metadata;

      await fixture.client.request(
        'DELETE',
        `/apis/fairlead.dev/v1alpha1/namespaces/${fixture.namespace}/loadbalancers/web.p-${fixture.id}`,
      );

      const anew = await fixture.untilLoadBalancer('web', (each) => each.metadata.uid !== uid, 'a new one');
      expect(anew.spec.frontends?.[0]?.forwardingPort).to.equal(20021);
    });
  });

  it('tells in the pool how many are used', async () => {
    const pool = await fixture.portPool({ forwardingPorts: ['20030-20039'] });
    await fixture.service('web', { spec: without });
    await waitFor(
      () => fixture.client.get(PORT_POOLS, undefined, pool),
      ({ status }) => status?.forwardingPorts?.used === 1,
      'one used',
    );
  });
});
