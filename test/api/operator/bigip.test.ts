import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { NODES, SECRETS, SERVICES } from '../../../kube/resources.ts';
import { type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { list, object, text } from '../../peers/bigip/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, Fixture } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

/** Of the operator's cluster, which is called `test`. */
const TENANT = 'fairlead_test';

describe('operator: load balancers of the provider bigip', function () {
  this.timeout(180_000);
  let operator: TestOperator;
  let fixture: Fixture;
  let peer: BigIpPeer;
  const nodes: string[] = [];

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    peer = await startBigIp();
    await makeProvider();
    await fixture.pool(['192.0.2.140-192.0.2.199']);
    await makeNode('10.20.0.1');
    await makeNode('10.20.0.2');
  });
  afterEach(async () => {
    peer.heal();
    await fixture.clean();
    await operator.stop();
    for (const name of nodes.splice(0)) await fixture.client.delete(NODES, undefined, name);
    await peer.stop();
  });

  async function start(driftIntervalMs?: number): Promise<void> {
    operator = await startTestOperator(await sharedCluster(), {
      agentsNamespace: fixture.namespace,
      ...(driftIntervalMs === undefined ? {} : { driftIntervalMs }),
    });
  }

  async function makeProvider(): Promise<void> {
    const encode = (value: string) => Buffer.from(value).toString('base64');
    const { password, username } = peer.credentials;
    const name = `f5-${fixture.id}`;
    await fixture.make(SECRETS, {
      metadata: { name, namespace: fixture.namespace },
      data: {
        username: encode(username),
        password: encode(password),
        'ca.crt': encode(peer.unit.ca),
      },
    });
    await fixture.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name: `p-${fixture.id}` },
      spec: {
        targets: { drainSeconds: 0, nodeSelector: { matchLabels: { [`test-${fixture.id}`]: 'yes' } } },
        bigip: {
          devices: [new URL(peer.unit.url).host],
          credentials: { secretName: name },
          tls: { caSecretName: name },
        },
      },
    });
  }

  async function makeNode(address: string): Promise<void> {
    const { client, id } = fixture;
    const name = `node-${id}-${nodes.length + 1}`;
    await client.create(NODES, { metadata: { name, labels: { [`test-${id}`]: 'yes' } } });
    nodes.push(name);
    await client.patch(
      NODES,
      undefined,
      name,
      { status: { addresses: [{ type: 'InternalIP', address }] } },
      { contentType: 'merge', subresource: 'status' },
    );
  }

  /** Addresses of the members of all pools, by the device. */
  function members(): string[] {
    const pools = peer.unit.configuration.list('ltm/pool');
    return pools
      .flatMap(({ properties }) => list(properties.members).map((each) => text(object(each).address)))
      .sort();
  }

  it('shows an address once the device serves it, follows nodes, and takes all of it away again', async () => {
    const before = peer.foreignObjects([TENANT]);
    await start();
    await fixture.service('web');
    const address = await fixture.untilAddress('web');
    const { status } = await fixture.getService('web');
    expect(status?.loadBalancer?.ingress).to.deep.equal([{ ip: address, ipMode: 'Proxy' }]);
    await fixture.untilReason('web', 'Ready');
    const [virtual] = peer.unit.configuration.list('ltm/virtual');
    expect(virtual?.properties.destination).to.equal(`/${TENANT}/${address}:80`);
    expect(members()).to.deep.equal(['10.20.0.1', '10.20.0.2']);
    const { status: told } = await fixture.untilLoadBalancer(
      'web',
      (each) => each.status?.targets?.healthy === 2,
      'two targets that are up',
    );
    expect(told?.providerID).to.match(new RegExp(`^/${TENANT}/fl_`));

    await makeNode('10.20.0.3');
    await eventually(() => expect(members()).to.have.length(3));
    await fixture.untilLoadBalancer('web', (each) => each.status?.targets?.desired === 3, 'three targets');
    await fixture.client.delete(NODES, undefined, nodes.pop() ?? '');
    await eventually(() => expect(members()).to.deep.equal(['10.20.0.1', '10.20.0.2']));

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
    expect(peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
    expect(peer.foreignObjects([TENANT])).to.deep.equal(before);
  });

  it('names the one Service that the device refuses, and serves the 199 others', async () => {
    await fixture.pool(['198.51.100.0/24'], {}, '-more');
    await start();
    // Somebody has that port already: the device refuses it.
    const taken = '192.0.2.190';
    peer.unit.create('ltm/virtual', {
      name: 'theirs',
      partition: 'Common',
      destination: `/Common/${taken}:80`,
      ipProtocol: 'tcp',
    });
    const before = peer.foreignObjects([TENANT]);
    await fixture.service('bad', { annotations: { 'fairlead.dev/address': taken } });
    const good = Array.from({ length: 199 }, (_, index) => `good-${index}`);
    await Promise.all(good.map((name) => fixture.service(name)));
    await eventually(async () => {
      const { items } = await fixture.client.list(SERVICES, { namespace: fixture.namespace });
      const served = items.filter((each) => addressesOf(each).length > 0);
      expect(served.map(({ metadata }) => metadata.name)).to.have.members(good);
    }, 90_000);
    const { message } = await fixture.untilReason('bad', 'SyncFailed');
    expect(message).to.include('/Common/theirs');
    expect(addressesOf(await fixture.getService('bad'))).to.deep.equal([]);
    const own = peer.unit.configuration
      .list('ltm/virtual')
      .filter(({ path }) => path.startsWith(`/${TENANT}/`));
    expect(own).to.have.length(good.length);
    expect(peer.foreignObjects([TENANT])).to.deep.equal(before);

    peer.unit.remove('ltm/virtual', '/Common/theirs');
    await fixture.patch(SERVICES, 'bad', { spec: { ports: [{ name: 'http', port: 81 }] } });
    await fixture.untilAddress('bad');
  });

  it('serves a Service that the device refused once it is mended there, though nobody touches the Service', async () => {
    await start(1_000);
    const iRules = ['/Common/mine'];
    await fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${fixture.id}`, { spec: { bigip: { iRules } } });
    await fixture.service('web');
    const { message } = await fixture.untilReason('web', 'SyncFailed');
    expect(message).to.include('/Common/mine');
    // Tried again, and refused again.
    await eventually(() => expect(peer.calls.declarations()).to.have.length.greaterThan(2));
    peer.unit.create('ltm/rule', { name: 'mine', partition: 'Common' });
    await fixture.untilAddress('web');
    await fixture.untilReason('web', 'Ready');
    const [virtual] = peer.unit.configuration.list('ltm/virtual');
    expect(virtual?.properties.rules).to.deep.equal(iRules);
  });

  it('leaves alone what somebody made in the partition, and says what it is', async () => {
    peer.unit.create('auth/partition', { name: TENANT });
    const kinds = ['ltm/node', 'ltm/rule', 'ltm/monitor/http', 'ltm/snatpool'];
    const paths = kinds.map((kind, index) =>
      peer.unit.create(kind, {
        name: `10.77.0.${index + 1}`,
        partition: TENANT,
        address: `10.77.0.${index + 1}`,
      }),
    );
    await start(1_000);
    await fixture.service('web');
    const { message } = await fixture.untilReason('web', 'TenantNotOurs');
    for (const path of paths.slice(0, 3)) expect(message).to.include(path);
    expect(peer.calls.declarations()).to.deep.equal([]);
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
    expect(kinds.filter((kind, index) => !peer.unit.configuration.has(kind, paths[index] ?? ''))).to.be.empty;
  });

  it('says what keeps a Service from going, and takes it away once that is gone', async () => {
    await start(1_000);
    await fixture.service('web');
    await fixture.untilReason('web', 'Ready');
    const path = peer.unit.create('ltm/node', { name: 'mine', partition: TENANT, address: '10.77.0.9' });
    const looks = () => peer.calls.count({ path: '/mgmt/tm/ltm/node' });
    const before = looks();
    // The one under way may have been before it.
    await eventually(() => expect(looks()).to.be.greaterThan(before + 2));
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await eventually(async () => {
      const { status } = await fixture.getService('web');
      expect(JSON.stringify(status?.conditions)).to.include(path);
    });
    expect(peer.unit.configuration.has('ltm/node', path)).to.equal(true);
    peer.unit.remove('ltm/node', path);
    await fixture.untilGone(SERVICES, 'web');
    expect(peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
  });

  it('finds what somebody edited by hand, says so, and puts it back where it may', async () => {
    await start(1_000);
    const provider = `p-${fixture.id}`;
    await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, { spec: { drift: { policy: 'Report' } } });
    await fixture.service('web');
    await fixture.untilReason('web', 'Ready');
    const [pool] = peer.unit.configuration.list('ltm/pool');
    const path = pool?.path ?? '';
    const port = Number(object(list(pool?.properties.members)[0]).port);
    const look = () => JSON.stringify(peer.unit.configuration.get('ltm/pool', path));
    peer.unit.editMember(path, `/${TENANT}/10.20.0.1:${port}`, { session: 'user-disabled' });
    const { status } = await fixture.untilLoadBalancer(
      'web',
      (each) => findCondition(each.status?.conditions, 'Drifted')?.status === 'True',
      'drifted',
    );
    expect(findCondition(status?.conditions, 'Drifted')?.message).to.include(
      `members[10.20.0.1:${port}]: expected enabled, found disabled`,
    );
    expect(look()).to.include('user-disabled');

    await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, { spec: { drift: { policy: 'Repair' } } });
    await eventually(() => expect(look()).not.to.include('user-disabled'));
    await fixture.untilLoadBalancer(
      'web',
      (each) => findCondition(each.status?.conditions, 'Drifted')?.status === 'False',
      'in sync',
    );
  });

  it('tells that the device cannot be reached, and goes on once it can', async () => {
    await peer.unit.unplug();
    await start();
    await fixture.service('web');
    const { message } = await fixture.untilReason('web', 'SyncFailed');
    expect(message).to.include(new URL(peer.unit.url).host);
    await peer.unit.listen();
    await fixture.untilAddress('web');
    const { status } = await fixture.untilLoadBalancer(
      'web',
      (each) => findCondition(each.status?.conditions, 'Programmed')?.status === 'True',
      'programmed',
    );
    expect(status?.ingress).to.have.length(1);
  });

  it('leaves an orphan to nobody: what a lost finalizer left behind is taken away', async () => {
    await start(1_000);
    await fixture.service('web');
    await fixture.untilReason('web', 'Ready');
    await operator.stop();
    await fixture.patch(SERVICES, 'web', { metadata: { finalizers: null } });
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
    await fixture.client.delete(LOAD_BALANCERS, fixture.namespace, `web.p-${fixture.id}`);
    await start(1_000);
    await eventually(() => expect(peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]));
  });
});
