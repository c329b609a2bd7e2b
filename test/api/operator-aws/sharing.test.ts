import { expect } from 'chai';
import { SERVICES } from '../../../kube/resources.ts';
import { objects, type PlainObject, text } from '../../peers/aws/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife, hostnameOf } from './support/aws-life.ts';

const SHARED = { 'fairlead.dev/shared-address': 'front' };

describe('operator and AWS: several Services on one load balancer', function () {
  this.timeout(120_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start();
  });
  afterEach(() => life.end());

  const ports = (...numbers: number[]) => numbers.map((port) => ({ name: `p${port}`, port }));
  const make = async (name: string, ...numbers: number[]) => {
    await life.fixture.service(name, { annotations: SHARED, spec: { ports: ports(...numbers) } });
  };
  const edit = async (name: string, ...numbers: number[]) => {
    await life.fixture.patch(SERVICES, name, { spec: { ports: ports(...numbers) } });
  };
  const hostname = async (name: string) => hostnameOf(await life.fixture.getService(name));
  /** Listeners that were there all the time have the ARN that they had. */
  const arnsByPort = async (loadBalancer: PlainObject) => {
    const listeners = await life.aws.listeners(loadBalancer);
    return new Map(listeners.map(({ ListenerArn, Port }) => [Number(text(Port)), text(ListenerArn)]));
  };
  const listenersByPort = async () => {
    const [loadBalancer = {}] = await life.aws.loadBalancers();
    return await arnsByPort(loadBalancer);
  };
  const listenersOf = async (name: string) => {
    const dnsName = await hostname(name);
    const loadBalancers = await life.aws.loadBalancers();
    return await arnsByPort(loadBalancers.find(({ DNSName }) => text(DNSName) === dnsName) ?? {});
  };

  it('begin together, are edited and go one by one, and the others never notice', async () => {
    await Promise.all([make('one', 80), make('two', 443), make('three', 8080)]);
    for (const name of ['one', 'two', 'three']) await life.untilReady(name);
    expect(await life.aws.loadBalancers()).to.have.length(1);
    expect(await life.ports()).to.deep.equal([80, 443, 8080]);
    const names = await Promise.all(['one', 'two', 'three'].map(hostname));
    expect(new Set(names).size, names.join()).to.equal(1);
    const before = await listenersByPort();
    life.aws.peer.calls.reset();

    await edit('two', 443, 8443);
    await life.untilPorts(80, 443, 8080, 8443);
    await life.untilReady('two');
    await life.delete('one');
    await life.untilPorts(443, 8080, 8443);
    await life.untilReady('two');
    await life.untilReady('three');

    const after = await listenersByPort();
    for (const port of [443, 8080]) expect(after.get(port), String(port)).to.equal(before.get(port));
    expect(await hostname('three')).to.equal(names[2]);
    expect(life.aws.peer.calls.count({ operation: 'CreateLoadBalancer' })).to.equal(0);
    expect(life.aws.peer.calls.count({ operation: 'ModifyListener' })).to.equal(0);
    expect(life.aws.peer.calls.count({ operation: 'DeleteListener' })).to.equal(1);

    await Promise.all([life.delete('two'), life.delete('three')]);
    expect(await life.aws.loadBalancers()).to.deep.equal([]);
    expect(await life.aws.targetGroups()).to.deep.equal([]);
    await waitFor(
      () => life.aws.securityGroups(),
      (groups) => groups.length === 0,
      'no security group to be left',
    );
  });

  it('are told on the younger one which port is taken, and it comes as soon as it may', async () => {
    await make('older', 80);
    await life.untilReady('older');
    await make('younger', 80);

    const told = await life.fixture.untilReason('younger', 'PortTaken');
    expect(told.message).to.contain('Port 80').and.to.contain(`older.p-${life.fixture.id}`);
    expect(await hostname('younger')).to.equal(undefined);
    await life.untilReady('older');
    expect(await life.ports()).to.deep.equal([80]);

    await edit('older', 8080);
    await life.untilReady('younger');
    await life.untilPorts(80, 8080);
    expect(await hostname('younger')).to.equal(await hostname('older'));
  });

  it('come when an older one that had their port shares with others from now on', async () => {
    await make('older', 80);
    await life.untilReady('older');
    await make('younger', 80);
    await life.fixture.untilReason('younger', 'PortTaken');

    await life.fixture.patch(SERVICES, 'older', {
      metadata: { annotations: { 'fairlead.dev/shared-address': 'elsewhere' } },
    });
    await life.untilReady('older');
    await life.untilReady('younger');
    await eventually(async () => {
      expect(await life.aws.loadBalancers()).to.have.length(2);
      expect(await hostname('younger')).not.to.equal(await hostname('older'));
    });
  });

  it('bring their old name along until the shared load balancer serves them', async () => {
    await make('one', 80);
    await life.untilReady('one');
    await life.fixture.service('joins', { spec: { ports: ports(443) } });
    await life.untilReady('joins');
    const own = await hostname('joins');
    life.aws.peer.times.initialMs = 2_000;

    await life.fixture.patch(SERVICES, 'joins', { metadata: { annotations: SHARED } });
    const replacing = await life.fixture.untilReason('joins', 'Replacing');
    expect(replacing.message).to.contain('until that has a healthy target');
    expect(await hostname('joins')).to.equal(own);
    expect(await life.aws.loadBalancers()).to.have.length(2);
    await life.untilReady('joins');
    expect(await hostname('joins')).to.equal(await hostname('one'));
    await waitFor(
      () => life.aws.loadBalancers(),
      (found) => found.length === 1,
      'its own to be gone',
    );
  });

  /** One that shares, and one that doesn't; on the same port. Kubernetes tells ages in seconds. */
  const makeBoth = async (...order: ('there' | 'joins')[]) => {
    for (const name of order) {
      if (name === 'there') await make(name, 80, 8080);
      else await life.fixture.service(name, { spec: { ports: ports(80) } });
      await life.untilReady(name);
      const { metadata } = await life.fixture.getLoadBalancer(name);
      const madeAt = Date.parse(metadata.creationTimestamp ?? '');
      await waitFor(
        async () => Date.now() - madeAt,
        (age) => age >= 1_000,
        'the next one to be younger',
      );
    }
  };

  it('keep what they have of their own when they may not join an older one', async () => {
    await makeBoth('there', 'joins');
    const own = await hostname('joins');
    const shared = await hostname('there');
    life.aws.peer.calls.reset();

    await life.fixture.patch(SERVICES, 'joins', { metadata: { annotations: SHARED } });
    await life.fixture.untilReason('joins', 'PortTaken');
    expect(await hostname('joins')).to.equal(own);
    expect(await hostname('there')).to.equal(shared);
    expect(life.changes()).to.deep.equal([]);
  });

  it('give the port to the older one of two that ask for it, with its listener: one is told, and serves what else it has', async () => {
    await makeBoth('joins', 'there');
    const before = await listenersOf('there');
    await life.fixture.patch(SERVICES, 'joins', { metadata: { annotations: SHARED } });
    const told = await life.fixture.untilReason('there', 'PortTaken');
    expect(told.message).to.contain('Port 80').and.to.contain(`joins.p-${life.fixture.id}`);
    const shared = await hostname('there');
    await life.fixture.until('joins', (each) => hostnameOf(each) === shared, 'the shared name');
    await life.untilReady('joins');
    expect(await listenersOf('there')).to.deep.equal(before);
    expect((await life.tagsOf(before.get(80) ?? ''))['fairlead.dev/load-balancer']).to.contain('/joins.');
    expect((await life.tagsOf(before.get(8080) ?? ''))['fairlead.dev/load-balancer']).to.contain('/there.');

    // It comes again with another port.
    await edit('there', 8081, 8080);
    await life.untilReady('there');
    await life.untilPorts(80, 8080, 8081);
  });

  it('let nobody in any more for one that shares with others from now on', async () => {
    await make('one', 80);
    await life.untilReady('one');
    await make('two', 443);
    await life.untilReady('two');
    await life.fixture.patch(SERVICES, 'two', {
      metadata: { annotations: { 'fairlead.dev/shared-address': 'elsewhere' } },
    });
    await life.untilReady('two');
    const openPorts = async () => {
      const groups = await life.aws.securityGroups();
      const isTcp = ({ ipProtocol }: PlainObject) => text(ipProtocol) === 'tcp';
      const rules = groups.map(({ ipPermissions }) => objects(ipPermissions).filter(isTcp));
      return rules
        .map((each) => each.map(({ fromPort }) => text(fromPort)).sort())
        .filter((each) => each.length > 0);
    };
    const describe = (found: string[][]) =>
      found
        .map((each) => each.join('+'))
        .sort()
        .join();
    await waitFor(openPorts, (found) => describe(found) === '443,80', 'a port in each of both groups');
  });

  it('exchange their ports without one of them being refused', async () => {
    await make('one', 80);
    await make('two', 443);
    for (const name of ['one', 'two']) await life.untilReady(name);
    const before = await listenersByPort();

    await Promise.all([edit('one', 443), edit('two', 80)]);
    const listener = before.get(443) ?? '';
    // Before the operator has seen the edits, both are ready as they were.
    await waitFor(
      async () => (await life.tagsOf(listener))['fairlead.dev/load-balancer'] ?? '',
      (owner) => owner.includes('/one.'),
      'the listener on 443 to be of the one that asks for it now',
    );
    for (const name of ['one', 'two']) await life.untilReady(name);
    await waitFor(
      () => life.aws.targetGroups(),
      (groups) => groups.length === 2,
      'nothing to be left over',
    );
    expect(await listenersByPort()).to.deep.equal(before);
  });

  it('move to another scheme without one that may not, and that one with them when it may', async () => {
    const scheme = { metadata: { annotations: { 'fairlead.dev/scheme': 'Internal' } } };
    await make('leads', 80);
    await life.untilReady('leads');
    await make('stays', 443);
    await life.untilReady('stays');
    const before = await hostname('stays');

    await life.fixture.patch(SERVICES, 'leads', scheme);
    const told = await life.fixture.untilReason('stays', 'SharedAddressMismatch');
    expect(told.message).to.contain('scheme');
    await life.fixture.until('leads', (each) => hostnameOf(each) !== before, 'the new name');
    await life.untilReady('leads');
    expect(await hostname('stays')).to.equal(before);
    const schemes = async () => {
      const found = await life.aws.loadBalancers();
      const each = found.map(async (one) => `${text(one.Scheme)} ${await life.portsOf(one)}`);
      return (await Promise.all(each)).sort();
    };
    await waitFor(
      schemes,
      (found) => found.join(', ') === 'internal 80, internet-facing 443',
      'each on its own',
    );

    await life.fixture.patch(SERVICES, 'stays', scheme);
    await waitFor(schemes, (found) => found.join(', ') === 'internal 80,443', 'both on the new one');
    for (const name of ['leads', 'stays']) await life.untilReady(name);
    expect(await hostname('stays')).to.equal(await hostname('leads'));
  });
});
