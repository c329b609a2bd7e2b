import { expect } from 'chai';
import type { EdgeReport } from '../../../crds/haproxy-provider.ts';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { LEASES } from '../../../kube/resources.ts';
import { createHaproxyProvider } from '../../../providers/haproxy/haproxy.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, Fixture } from './support/objects.ts';
import { reportEdge } from './support/report-edge.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: load balancers of the provider haproxy', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let provider: string;

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    operator = await startTestOperator(await sharedCluster());
    provider = `p-${fixture.id}`;
    await fixture.make(LOAD_BALANCER_PROVIDERS, { metadata: { name: provider }, spec: { haproxy: {} } });
    await fixture.pool(['192.0.2.120-192.0.2.129']);
  });
  afterEach(async () => {
    await fixture.clean();
    await operator.stop();
  });

  const report = async (service: string, edge: string, more?: Partial<EdgeReport>) =>
    await reportEdge(fixture, { service, edge }, more);

  it('shows the address once an edge serves it, as a proxy, and says before what is missing', async () => {
    await fixture.service('web');
    const { message } = await fixture.untilReason('web', 'NoEdge');
    expect(message).to.include(`fairlead edge --provider ${provider}`);
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([]);

    await report('web', 'edge-1');
    const address = await fixture.untilAddress('web');
    expect(address).to.match(/^192\.0\.2\.12/);
    const { status } = await fixture.getService('web');
    expect(status?.loadBalancer?.ingress).to.deep.equal([{ ip: address, ipMode: 'Proxy' }]);
    await fixture.untilReason('web', 'Ready');
  });

  it('tells edges which certificates the Service names, and where TLS is ended', async () => {
    await fixture.service('web', {
      annotations: { 'fairlead.dev/tls-secret': 'web-tls', 'fairlead.dev/tls-ports': 'http' },
    });
    const { spec } = await fixture.untilLoadBalancer('web', () => true, 'there');
    expect(spec.haproxy).to.deep.equal({ tls: { secretNames: ['web-tls'], ports: ['http'] } });
  });

  it('keeps what each edge says, and counts targets by it', async () => {
    await fixture.service('web');
    await report('web', 'edge-1', { targets: { desired: 3, healthy: 3 } });
    await report('web', 'edge-2', { targets: { desired: 3, healthy: 1 } });
    const { status } = await fixture.untilLoadBalancer(
      'web',
      (each) => findCondition(each.status?.conditions, 'TargetsHealthy')?.status === 'False',
      'targets that edge-2 misses',
    );
    expect(status?.edges?.map(({ name }) => name)).to.have.members(['edge-1', 'edge-2']);
    expect(status?.targets).to.deep.equal({ desired: 3, healthy: 3 });
    expect(findCondition(status?.conditions, 'TargetsHealthy')?.message).to.include('edge "edge-2"');
  });

  it('says what an edge refuses on the Service, and shows the address that serves on', async () => {
    await fixture.service('web');
    await report('web', 'edge-1');
    const address = await fixture.untilAddress('web');
    await report('web', 'edge-1', { reason: 'ConfigurationRefused', message: 'HAProxy refuses it: line 7' });
    const { message } = await fixture.untilReason('web', 'ConfigurationRefused');
    expect(message).to.equal('Edge "edge-1": HAProxy refuses it: line 7');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([address]);
  });

  it('says when an edge fell silent, keeps what it serves, and counts it no more once another serves', async () => {
    await operator.stop();
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace: fixture.namespace });
    await fixture.make(LEASES, {
      metadata: {
        name: `fairlead-edge-${provider}.edge-1`,
        namespace: fixture.namespace,
        labels: { 'fairlead.dev/component': 'edge' },
      },
      spec: { holderIdentity: `${provider}/edge-1`, leaseDurationSeconds: 3600 },
    });
    await fixture.service('web');
    await report('web', 'edge-1', { targets: { desired: 2, healthy: 1 } });
    const address = await fixture.untilAddress('web');
    // Its last renewal, after which it is silent in a second.
    await fixture.patch(LEASES, `fairlead-edge-${provider}.edge-1`, {
      spec: { leaseDurationSeconds: 1, renewTime: '2000-01-01T00:00:00.000000Z' },
    });
    const { message } = await fixture.untilReason('web', 'EdgeSilent');
    expect(message).to.include('edge "edge-1"');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([address]);

    await report('web', 'edge-2', { targets: { desired: 2, healthy: 2 } });
    await fixture.untilReason('web', 'Ready');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([address]);
  });

  it('says on the Service that two edges add the same addresses, until VRRP is set', async () => {
    await operator.stop();
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace: fixture.namespace });
    await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, { spec: { haproxy: { interface: 'eth0' } } });
    for (const edge of ['edge-1', 'edge-2']) {
      await fixture.make(LEASES, {
        metadata: {
          name: `fairlead-edge-${provider}.${edge}`,
          namespace: fixture.namespace,
          labels: { 'fairlead.dev/component': 'edge' },
        },
        spec: { holderIdentity: `${provider}/${edge}`, leaseDurationSeconds: 3600 },
      });
    }
    await fixture.service('web');
    await report('web', 'edge-1');
    const address = await fixture.untilAddress('web');
    await report('web', 'edge-2');
    const { message } = await fixture.untilReason('web', 'AddressConflict');
    expect(message).to.include(`Edges "edge-1" and "edge-2" each add ${address}`);
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([address]);

    const vrrp = { virtualRouterID: 51 };
    await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, { spec: { haproxy: { vrrp } } });
    await fixture.untilReason('web', 'Ready');
  });

  it('forgets what an edge said that is gone for good, once another serves', async () => {
    await operator.stop();
    operator = await startTestOperator(await sharedCluster(), {
      agentsNamespace: fixture.namespace,
      providers: ({ edges }) =>
        new Map([['haproxy', createHaproxyProvider(edges, { forgetAfterSeconds: 2 })]]),
    });
    await fixture.make(LEASES, {
      metadata: {
        name: `fairlead-edge-${provider}.edge-1`,
        namespace: fixture.namespace,
        labels: { 'fairlead.dev/component': 'edge' },
      },
      spec: {
        holderIdentity: `${provider}/edge-1`,
        leaseDurationSeconds: 1,
        renewTime: '2000-01-01T00:00:00.000000Z',
      },
    });
    await fixture.service('web');
    await report('web', 'edge-1');
    await fixture.untilReason('web', 'EdgeSilent');
    const named = (edges: readonly EdgeReport[] = []) => edges.map(({ name }) => name).join();
    await report('web', 'edge-2');
    await fixture.untilLoadBalancer(
      'web',
      ({ status }) => named(status?.edges) === 'edge-2',
      'without the word of edge-1',
    );
  });

  it('says that UDP is not possible, and shows the address for TCP', async () => {
    await fixture.service('dns', {
      spec: {
        ports: [
          { name: 'tcp', protocol: 'TCP', port: 53 },
          { name: 'udp', protocol: 'UDP', port: 53 },
        ],
      },
    });
    await report('dns', 'edge-1');
    const { message } = await fixture.untilReason('dns', 'ProtocolNotServed');
    expect(message).to.include('53/UDP');
    await fixture.untilAddress('dns');
  });

  it('keeps the old provider until an edge of the new one serves', async () => {
    const office = await fixture.provider({}, 'o');
    await fixture.pool(['192.0.2.130-192.0.2.139'], { providers: [office] }, 'o');
    await fixture.service('web', {
      provider: '',
      spec: { loadBalancerClass: `fairlead.dev/${office}` },
    });
    const before = await fixture.untilAddress('web');
    const { metadata } = await fixture.getService('web');
    await fixture.patch(
      { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
      metadata.name,
      { metadata: { annotations: { 'fairlead.dev/providers': provider } } },
    );
    await fixture.untilReason('web', 'NoEdge');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([before]);

    // One of its nodes may be down.
    await report('web', 'edge-1', { targets: { desired: 3, healthy: 2 } });
    await fixture.until('web', (each) => addressesOf(each)[0]?.startsWith('192.0.2.12') === true, 'the new');
    await fixture.untilGone(LOAD_BALANCERS, `web.${office}`);
  });
});
