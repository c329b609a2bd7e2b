import { expect } from 'chai';
import type { ProviderType } from '../../../crds/common.ts';
import { ENDPOINT_SLICES, PODS } from '../../../kube/resources.ts';
import type { DesiredLoadBalancer, Provider, TargetPod } from '../../../providers/provider.ts';
import { sharedCluster } from '../support/cluster.ts';
import { Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';
import { WatchedProvider } from './support/watched-provider.ts';

/** Remembers the pods that it was told to send traffic to. */
class PodProvider extends WatchedProvider {
  pods: TargetPod[] = [];

  override build(desired: DesiredLoadBalancer) {
    this.pods = desired.pods;
    return super.build(desired);
  }
}

describe('operator: load balancers that send traffic straight to pods', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let outside: PodProvider;
  let gate: string;

  beforeEach(async () => {
    outside = new PodProvider();
    fixture = await Fixture.create(await sharedCluster());
    operator = await startTestOperator(await sharedCluster(), {
      providers: () => new Map<ProviderType, Provider>([['announce', outside]]),
    });
    await fixture.provider({ targets: { mode: 'Pod', drainSeconds: 0 } });
    await fixture.pool(['192.0.2.100-192.0.2.109']);
    // No controller makes it here, and the API server takes no Pod without it.
    await fixture.client.request('POST', `/api/v1/namespaces/${fixture.namespace}/serviceaccounts`, {
      body: { metadata: { name: 'default' } },
    });
    gate = `target-health.fairlead.dev/web.p-${fixture.id}`;
  });
  afterEach(async () => {
    await fixture.clean();
    await operator.stop();
  });

  const makePod = async (name: string, options: { gated: boolean; containersReady: boolean }) => {
    const { namespace } = fixture;
    const readinessGates = options.gated ? [{ conditionType: gate }] : [];
    await fixture.make(PODS, {
      metadata: { name, namespace },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'web', image: 'web' }],
        readinessGates,
      },
    });
    const status = options.containersReady ? 'True' : 'False';
    await fixture.client.patch(
      PODS,
      namespace,
      name,
      { status: { conditions: [{ type: 'ContainersReady', status }] } },
      { contentType: 'merge', subresource: 'status' },
    );
  };
  const endpoint = (address: string, pod: string, conditions: object) => ({
    addresses: [address],
    conditions,
    targetRef: { kind: 'Pod', name: pod, namespace: fixture.namespace },
    zone: 'zone-a',
  });
  const makeSlice = async (endpoints: object[]) => {
    const { namespace } = fixture;
    await fixture.make(ENDPOINT_SLICES, {
      metadata: { name: 'web-1', namespace, labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints,
    });
  };
  const untilPods = (addresses: string[]) =>
    waitFor(
      async () => outside.pods.map(({ address }) => address),
      (found) => found.join() === addresses.join(),
      `the targets ${addresses.join()}`,
    );

  it('are told of those that are ready, with port and zone, and follow them', async () => {
    await makeSlice([
      endpoint('10.0.0.1', 'a', { ready: true }),
      endpoint('10.0.0.2', 'b', { ready: false, serving: true, terminating: true }),
      endpoint('10.0.0.3', 'c', { ready: false }),
    ]);
    await fixture.service('web');
    await untilPods(['10.0.0.1']);
    expect(outside.pods).to.deep.equal([
      {
        protocol: 'TCP',
        port: 80,
        address: '10.0.0.1',
        targetPort: 8080,
        pod: 'a',
        zone: 'zone-a',
        gated: false,
      },
    ]);

    await fixture.patch(ENDPOINT_SLICES, 'web-1', {
      endpoints: [endpoint('10.0.0.3', 'c', { ready: true }), endpoint('10.0.0.4', 'd', { ready: true })],
    });
    await untilPods(['10.0.0.3', '10.0.0.4']);
  });

  it('get a pod that waits for nothing but them, and open its gate once they found it healthy', async () => {
    await makePod('gated', { gated: true, containersReady: true });
    await makePod('starting', { gated: true, containersReady: false });
    await makeSlice([
      endpoint('10.0.0.1', 'gated', { ready: false }),
      endpoint('10.0.0.2', 'starting', { ready: false }),
    ]);
    await fixture.service('web');
    await untilPods(['10.0.0.1']);
    expect(outside.pods[0]?.gated).to.equal(true);

    outside.healthyPods = ['gated'];
    await fixture.patch(ENDPOINT_SLICES, 'web-1', { metadata: { labels: { again: 'yes' } } });

    const open = await waitFor(
      () => fixture.client.get(PODS, fixture.namespace, 'gated'),
      ({ status }) =>
        status?.conditions?.some(({ type, status }) => type === gate && status === 'True') === true,
      'the gate to open',
    );
    expect(open.status?.conditions?.find(({ type }) => type === 'ContainersReady')?.status).to.equal('True');
    const other = await fixture.client.get(PODS, fixture.namespace, 'starting');
    expect(other.status?.conditions?.some(({ type }) => type === gate)).to.equal(false);
  });
});
