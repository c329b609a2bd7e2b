import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { isClass } from '../../../kube/errors.ts';
import { NAMESPACES, resource, SERVICES } from '../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';

const ROLES = resource('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', true);
const ROLE_BINDINGS = resource('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', true);
const SERVICE_ACCOUNTS = resource('', 'v1', 'serviceaccounts', 'ServiceAccount', true);

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isClass(error, 'Rejected')) return error.reason;
    throw error;
  }
  return 'not refused';
}

describe('test control plane', () => {
  let plane: ControlPlane;

  before(async function () {
    this.timeout(120_000);
    plane = await startControlPlane();
  });

  after(() => plane.stop());

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`comes back at the same address with its data after ${signal}`, async () => {
      const client = plane.adminClient();
      const name = `kept-${signal.toLowerCase()}`;
      const { uid } = (await client.create(NAMESPACES, { metadata: { name } })).metadata;

      await plane.stopApiServer(signal);
      const failure = await client.get(NAMESPACES, undefined, name).catch((error: unknown) => error);
      await plane.startApiServer();

      expect(isClass(failure, 'Transient')).to.equal(true);
      expect((await client.get(NAMESPACES, undefined, name)).metadata.uid).to.equal(uid);
    });
  }

  it('lets a ServiceAccount do what its role grants, and nothing else', async () => {
    const admin = plane.adminClient();
    const namespace = 'default';
    await admin.create(SERVICE_ACCOUNTS, { metadata: { name: 'reader', namespace } });
    await admin.request('POST', `/apis/${ROLES.group}/v1/namespaces/${namespace}/${ROLES.plural}`, {
      body: {
        metadata: { name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
      },
    });
    await admin.request('POST', `/apis/${ROLES.group}/v1/namespaces/${namespace}/${ROLE_BINDINGS.plural}`, {
      body: {
        metadata: { name: 'reader' },
        roleRef: { apiGroup: ROLES.group, kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
      },
    });
    const kubeconfig = await plane.serviceAccountKubeconfig(namespace, 'reader');
    const reader = new KubeClient(await loadConnectionConfig({ kubeconfig }));
    try {
      // The API server makes it a moment after it is ready.
      await eventually(async () => {
        const { items } = await reader.list(SERVICES, { namespace });
        expect(items.map((service) => service.metadata.name)).to.include('kubernetes');
      });
      expect(await refusalOf(reader.delete(SERVICES, namespace, 'kubernetes'))).to.equal('Forbidden');
      expect(await refusalOf(reader.list(NAMESPACES))).to.equal('Forbidden');
    } finally {
      await reader.close();
    }
  });

  it('takes a client certificate of system:node:<name> for that Node, fenced to its own objects', async () => {
    const kubeconfig = await plane.userKubeconfig('system:node:alpha', ['system:nodes']);
    const who = await plane.kubectl(['--kubeconfig', kubeconfig, 'auth', 'whoami', '--output', 'json']);
    const other = `{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "beta"}}`;

    expect(JSON.parse(who).status.userInfo.username).to.equal('system:node:alpha');
    expect(
      await plane.kubectl(['--kubeconfig', kubeconfig, 'create', '-f', '-'], other).catch(String),
    ).to.include('node "alpha" is not allowed to modify node "beta"');
  });

  it('leaves no data behind', async function () {
    this.timeout(60_000);
    const other = await startControlPlane();
    const there = existsSync(other.dir);
    await other.stop();

    expect(there).to.equal(true);
    expect(existsSync(other.dir)).to.equal(false);
  });
});

describe('shared cluster', () => {
  it('serves every kind of Fairlead', async () => {
    const cluster = await sharedCluster();
    const names = await cluster.kubectl(['api-resources', '--categories', 'fairlead', '--output', 'name']);

    expect(names.trim().split('\n').sort()).to.deep.equal([
      'addresspools.fairlead.dev',
      'loadbalancerproviders.fairlead.dev',
      'loadbalancers.fairlead.dev',
      'nodeforwarders.fairlead.dev',
      'portpools.fairlead.dev',
    ]);
  });
});
