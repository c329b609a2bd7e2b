import { expect } from 'chai';
import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { sharedCluster } from '../support/cluster.ts';
import { buildConfig, installRights, SYSTEM_NAMESPACE } from './support/install.ts';

interface Workload extends KubeObject {
  spec: { template: { metadata: { labels: Record<string, string> }; spec: PodSpec }; replicas?: number };
}

interface PodSpec {
  hostNetwork?: boolean;
  containers: {
    securityContext: { capabilities: { add?: string[]; drop?: string[] } };
    [field: string]: unknown;
  }[];
  [field: string]: unknown;
}

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

describe('kubectl kustomize config/default', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let objects: KubeObject[];

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    client = cluster.adminClient();
    await installRights(cluster);
    objects = await buildConfig(cluster, 'default');
  });

  function workload(kind: string): Workload {
    const found = objects.find((object): object is Workload => object.kind === kind && 'spec' in object);
    if (found === undefined) throw new Error(`there is no ${kind}`);
    return found;
  }

  /** What the API server says to a Pod of this template in a namespace with this Pod Security Standard. */
  async function admit(template: Workload['spec']['template'], standard: string): Promise<string> {
    const name = `standard-${standard}`;
    const labels = { 'pod-security.kubernetes.io/enforce': standard };
    const apply = {
      query: { fieldManager: 'test', force: true },
      contentType: 'application/apply-patch+yaml',
    };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await client.request('PATCH', `/api/v1/namespaces/${name}`, { ...apply, body: namespace });
    const { serviceAccountName, priorityClassName, ...spec } = template.spec;
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await client.request('PATCH', `/api/v1/namespaces/${name}/serviceaccounts/default`, {
      ...apply,
      body: account,
    });
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' }, spec };
    return client
      .request('POST', `/api/v1/namespaces/${name}/pods`, { body, query: { dryRun: 'All' } })
      .then(() => 'admitted', String);
  }

  it('is taken by the API server, whole', async () => {
    const text = await cluster.kubectl(['kustomize', 'config/default']);
    const apply = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict'];

    const lines = (await cluster.kubectl([...apply, '-f', '-'], text)).trim().split('\n');

    expect(lines).to.have.length(objects.length);
    expect(objects.map(({ kind }) => kind)).to.include.members(['Deployment', 'DaemonSet', 'Namespace']);
  });

  it('gives the agent memory to stage its longest inputs in, where it looks for it', () => {
    const { containers, volumes } = workload('DaemonSet').spec.template.spec;

    expect(containers[0]?.volumeMounts).to.deep.include({ name: 'staging', mountPath: '/dev/shm' });
    const emptyDir = { medium: 'Memory', sizeLimit: '256Mi' };
    expect(volumes).to.deep.include({ name: 'staging', emptyDir });
  });

  it('says of every object that it belongs to Fairlead', () => {
    const strays = objects.filter(
      ({ metadata }) => metadata.labels?.['app.kubernetes.io/part-of'] !== 'fairlead',
    );

    expect(strays.map(({ metadata }) => metadata.name)).to.deep.equal([]);
  });

  it('puts everything that has a namespace into fairlead-system', () => {
    const namespaces = objects.flatMap(({ metadata }) => metadata.namespace ?? []);

    expect(new Set(namespaces)).to.deep.equal(new Set([SYSTEM_NAMESPACE]));
  });

  it('keeps the operator to the restricted Pod Security Standard', async () => {
    expect(await admit(workload('Deployment').spec.template, 'restricted')).to.equal('admitted');
  });

  it('gives the agent what no lesser standard than privileged allows, and of capabilities two', async () => {
    const { template } = workload('DaemonSet').spec;

    expect(await admit(template, 'baseline')).to.match(/violates PodSecurity.*NET_ADMIN.*host namespaces/);
    expect(await admit(template, 'privileged')).to.equal('admitted');
    expect(template.spec.containers.map(({ securityContext }) => securityContext.capabilities)).to.deep.equal(
      [{ add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] }],
    );
  });

  it('asks the agent for its health on the loopback address only', () => {
    const [agent] = workload('DaemonSet').spec.template.spec.containers;

    for (const probe of PROBES) expect(agent).to.have.nested.property(`${probe}.httpGet.host`, '127.0.0.1');
  });

  it('probes every container, and lets none write to its own files', () => {
    for (const kind of ['Deployment', 'DaemonSet']) {
      for (const container of workload(kind).spec.template.spec.containers) {
        expect(container).to.include.keys(PROBES);
        expect(container.securityContext).to.include({
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
        });
      }
    }
  });
});
