import { expect } from 'chai';
import { type LoadBalancer, loadBalancerStatusSchema } from '../../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../../crds/resources.ts';
import { applyObject, applyStatus } from '../../../kube/apply.ts';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { LEASES } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';
import { installRights, SYSTEM_NAMESPACE } from './support/install.ts';

const NAMESPACE = 'default';
const HAPROXY = 'fence.edge';
const ANNOUNCE = 'fence.announce';

function loadBalancer(name: string, type: 'haproxy' | 'announce'): LoadBalancer {
  const [service = '', provider = ''] = name.split('.');
  return {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'LoadBalancer',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      service: { name: service, uid: 'uid' },
      provider: { name: provider, type },
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
    },
  };
}

describe('The fence of an edge around its own entry', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let admin: KubeClient;
  let edge: KubeClient;

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    admin = cluster.adminClient();
    await installRights(cluster);
    const kubeconfig = await cluster.serviceAccountKubeconfig(SYSTEM_NAMESPACE, 'fairlead-edge');
    edge = new KubeClient(await loadConnectionConfig({ kubeconfig }));
    await admin.create(LOAD_BALANCERS, loadBalancer(HAPROXY, 'haproxy'));
    await admin.create(LOAD_BALANCERS, loadBalancer(ANNOUNCE, 'announce'));
    // A new policy comes into force some moments after it was written.
    let attempt = 0;
    await eventually(async () => {
      const refused = await outcome(write(edge, 'fairlead-edge-a', { applied: `attempt ${++attempt}` }));
      expect(refused).to.include("the rest is the operator's");
    });
    await write(admin, 'fairlead-operator', { ingress: [{ ip: '192.0.2.1' }], applied: 'digest' });
  });

  after(async () => {
    await edge?.close();
    for (const name of [HAPROXY, ANNOUNCE]) await admin.delete(LOAD_BALANCERS, NAMESPACE, name);
  });

  function write(client: KubeClient, fieldManager: string, status: object, name = HAPROXY): Promise<unknown> {
    const metadata = { name, namespace: NAMESPACE };
    return applyStatus(client, LOAD_BALANCERS, { metadata, status }, { fieldManager });
  }

  function outcome(answer: Promise<unknown>): Promise<string> {
    return answer.then(
      () => 'done',
      (error) => String(error),
    );
  }

  it('lets edges write their own entries, again and again', async () => {
    for (const serving of [true, false, true]) {
      for (const name of ['a', 'b']) {
        expect(await outcome(write(edge, `fairlead-edge-${name}`, { edges: [{ name, serving }] }))).to.equal(
          'done',
        );
      }
    }
    const { status } = await admin.get(LOAD_BALANCERS, NAMESPACE, HAPROXY);
    expect(status?.edges).to.have.length(2);
    expect(status?.applied).to.equal('digest');
  });

  it("keeps an edge from another's entry", async () => {
    const edges = [{ name: 'b', serving: false }];
    expect(await outcome(write(edge, 'fairlead-edge-a', { edges }))).to.include('only its own entry');
    expect(await outcome(write(edge, 'fairlead-edge-c', { edges }))).to.include('only its own entry');
  });

  it('keeps an edge from all that the operator says', async () => {
    const edges = [{ name: 'a', serving: true }];
    const said = {
      ingress: [{ ip: '203.0.113.1' }],
      applied: 'another',
      providerID: 'id',
      observedGeneration: 7,
      targets: { desired: 1, healthy: 1 },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Ready',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    };
    for (const [field, value] of Object.entries(said)) {
      const refused = await outcome(write(edge, 'fairlead-edge-a', { edges, [field]: value }));
      expect(refused, field).to.include("the rest is the operator's");
    }
    expect(Object.keys(said)).to.have.members(
      Object.keys(loadBalancerStatusSchema.shape).filter((field) => field !== 'edges'),
    );
  });

  it('keeps an edge from load balancers of other providers', async () => {
    const status = { edges: [{ name: 'a', serving: true }] };
    expect(await outcome(write(edge, 'fairlead-edge-a', status, ANNOUNCE))).to.include('not announce');
  });

  it("keeps an edge from Leases that aren't an edge's, such as the leader's", async () => {
    const lease = (name: string) =>
      outcome(
        applyObject(
          edge,
          LEASES,
          { metadata: { name, namespace: SYSTEM_NAMESPACE }, spec: { holderIdentity: 'edge/a' } },
          { fieldManager: 'fairlead-edge-a' },
        ),
      );
    expect(await lease('fairlead-operator')).to.include('only Leases named fairlead-edge-');
    expect(await lease('fairlead-agent-node-1')).to.include('only Leases named fairlead-edge-');
    expect(await lease('fairlead-edge-edge.a')).to.equal('done');
    await admin.delete(LEASES, SYSTEM_NAMESPACE, 'fairlead-edge-edge.a');
  });

  it('does not concern the operator', async () => {
    expect(await outcome(write(admin, 'fairlead-operator', { applied: 'digest-2' }))).to.equal('done');
  });
});
