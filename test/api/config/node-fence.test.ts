import { expect } from 'chai';
import type { NodeForwarder } from '../../../crds/node-forwarder.ts';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import type { KubeObject, Lease } from '../../../kube/objects.ts';
import { LEASES, NODES, pathOf } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { sharedCluster } from '../support/cluster.ts';
import { installRights, SYSTEM_NAMESPACE } from './support/install.ts';

const OWN = 'fence-own';
const OTHER = 'fence-other';
const PODS = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/pods`;

function forwarder(node: string): NodeForwarder {
  return {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'NodeForwarder',
    metadata: { name: node },
    spec: { nodeName: node },
  };
}

function lease(name: string): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: SYSTEM_NAMESPACE },
  };
}

describe('The fence of an agent around its own node', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let admin: KubeClient;
  const opened: KubeClient[] = [];
  let podAgent: KubeClient;
  let nodeAgent: KubeClient;
  let unboundAgent: KubeClient;
  let operator: KubeClient;

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    admin = cluster.adminClient();
    await installRights(cluster);
    const nodes = await Promise.all([OWN, OTHER].map(makeNode));
    const pod = await makePod(OWN);
    podAgent = await agentWith({
      kind: 'Pod',
      apiVersion: 'v1',
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    });
    nodeAgent = await agentWith({ kind: 'Node', apiVersion: 'v1', name: OWN, uid: nodes[0]?.metadata.uid });
    unboundAgent = await agentWith(undefined);
    const kubeconfig = await cluster.serviceAccountKubeconfig(SYSTEM_NAMESPACE, 'fairlead-operator');
    operator = open(new KubeClient(await loadConnectionConfig({ kubeconfig })));
    await untilFenced();
  });

  afterEach(async () => {
    for (const node of [OWN, OTHER]) {
      await admin.delete(NODE_FORWARDERS, undefined, node);
      await admin.delete(LEASES, SYSTEM_NAMESPACE, `fairlead-agent-${node}`);
    }
  });

  after(async () => {
    for (const client of opened) await client.close();
    await admin.request('DELETE', `${PODS}/fence`, { query: { gracePeriodSeconds: 0 } });
    for (const node of [OWN, OTHER]) await admin.delete(NODES, undefined, node);
  });

  function open(client: KubeClient): KubeClient {
    opened.push(client);
    return client;
  }

  function makeNode(name: string): Promise<KubeObject> {
    return admin.request('POST', '/api/v1/nodes', {
      body: { apiVersion: 'v1', kind: 'Node', metadata: { name } },
    });
  }

  function makePod(nodeName: string): Promise<KubeObject> {
    const spec = {
      nodeName,
      serviceAccountName: 'fairlead-agent',
      containers: [{ name: 'agent', image: 'fairlead' }],
    };
    return admin.request('POST', PODS, {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'fence' }, spec },
    });
  }

  /** An agent whose token is bound as a Pod's is, to a Node, or to nothing. */
  async function agentWith(boundObjectRef: object | undefined): Promise<KubeClient> {
    const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/serviceaccounts/fairlead-agent/token`;
    const { status } = await admin.request<{ status: { token: string } }>('POST', path, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef } },
    });
    const kubeconfig = await cluster.serviceAccountKubeconfig(SYSTEM_NAMESPACE, 'fairlead-agent');
    const config = await loadConnectionConfig({ kubeconfig });
    return open(new KubeClient({ ...config, token: async () => status.token }));
  }

  /** The API server takes a new policy into account some moments after it was written. */
  async function untilFenced(): Promise<void> {
    for (let attempt = 0; attempt < 1_200; attempt++) {
      const body = forwarder(OTHER);
      const answer = podAgent.request('POST', pathOf(NODE_FORWARDERS), { body, query: { dryRun: 'All' } });
      if ((await outcome(answer)) !== 'done') return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the policy has not come into force within a minute');
  }

  function outcome(answer: Promise<unknown>): Promise<string> {
    return answer.then(
      () => 'done',
      (error) => String(error),
    );
  }

  /** Every write that an agent does, about one node: its outcome by name. */
  async function writesAbout(agent: KubeClient, node: string): Promise<Record<string, string>> {
    const merge = { contentType: 'merge' } as const;
    const apply = { contentType: 'apply', fieldManager: 'fairlead-agent', force: true } as const;
    const leaseName = `fairlead-agent-${node}`;
    const leases = pathOf(LEASES, SYSTEM_NAMESPACE);
    const labels = { metadata: { labels: { a: 'b' } } };
    const status = { ...forwarder(node), status: { version: '1' } };
    const outcomes: Record<string, string> = {};
    const attempt = async (name: string, write: Promise<unknown>, otherwise?: () => Promise<unknown>) => {
      outcomes[name] = await outcome(write);
      if (outcomes[name] !== 'done') await otherwise?.();
    };
    await attempt('make its NodeForwarder', agent.create(NODE_FORWARDERS, forwarder(node)), () =>
      admin.request('POST', pathOf(NODE_FORWARDERS), { body: forwarder(node) }),
    );
    await attempt('change its NodeForwarder', agent.patch(NODE_FORWARDERS, undefined, node, labels, merge));
    await attempt(
      'report',
      agent.patch(NODE_FORWARDERS, undefined, node, status, { ...apply, subresource: 'status' }),
    );
    await attempt('make its Lease', agent.request('POST', leases, { body: lease(leaseName) }), () =>
      admin.request('POST', leases, { body: lease(leaseName) }),
    );
    await attempt('renew its Lease', agent.patch(LEASES, SYSTEM_NAMESPACE, leaseName, labels, merge));
    await attempt('give up its Lease', agent.delete(LEASES, SYSTEM_NAMESPACE, leaseName));
    return outcomes;
  }

  const WRITES = [
    'make its NodeForwarder',
    'change its NodeForwarder',
    'report',
    'make its Lease',
    'renew its Lease',
    'give up its Lease',
  ];
  const ALL_DONE = Object.fromEntries(WRITES.map((name) => [name, 'done']));

  for (const bound of ['Pod', 'Node']) {
    const agent = () => (bound === 'Pod' ? podAgent : nodeAgent);

    it(`lets a token bound to a ${bound} write all that belongs to its node`, async () => {
      expect(await writesAbout(agent(), OWN)).to.deep.equal(ALL_DONE);
    });

    it(`lets a token bound to a ${bound} write nothing that belongs to another node`, async () => {
      const outcomes = await writesAbout(agent(), OTHER);

      for (const name of WRITES) {
        expect(outcomes[name], name).to.contain(
          `the agent of node ${OWN} writes only what belongs to that node`,
        );
      }
    });
  }

  it("keeps every agent from the leader's Lease, with a bound token or without", async () => {
    for (const agent of [podAgent, unboundAgent]) {
      const body = lease('fairlead-operator');
      const answer = agent.request('POST', pathOf(LEASES, SYSTEM_NAMESPACE), {
        body,
        query: { dryRun: 'All' },
      });

      expect(await outcome(answer)).to.contain(
        'an agent writes only Leases named fairlead-agent-<node>, not fairlead-operator',
      );
    }
  });

  it('holds a token that names no node to nothing more than its rights', async () => {
    expect(await writesAbout(unboundAgent, OTHER)).to.deep.equal(ALL_DONE);
  });

  it('does not concern others', async () => {
    const body = lease('fairlead-operator');
    const answer = operator.request('POST', pathOf(LEASES, SYSTEM_NAMESPACE), {
      body,
      query: { dryRun: 'All' },
    });

    expect(await outcome(answer)).to.match(/^done$|already exists/);
  });
});
