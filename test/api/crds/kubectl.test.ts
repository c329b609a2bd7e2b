import { expect } from 'chai';
import { ADDRESS_POOLS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';

const NOW = '2026-01-01T00:00:00Z';
const apply = { contentType: 'apply', fieldManager: 'test', force: true } as const;

function ready(status: string, reason: string, message: string): object[] {
  return [{ type: 'Ready', status, reason, message, lastTransitionTime: NOW }];
}

describe('What a person sees of the kinds with kubectl', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let namespace: string;

  before(async function () {
    this.timeout(600_000);
    cluster = await sharedCluster();
    client = cluster.adminClient();
    namespace = await freshNamespace(cluster);
    await makeLoadBalancer();
    await makePool();
  });

  after(async () => {
    await client.delete(ADDRESS_POOLS, undefined, 'kubectl-pool');
  });

  async function makeLoadBalancer(): Promise<void> {
    const object = {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'LoadBalancer',
      metadata: { name: 'web.lab' },
    };
    const spec = {
      service: { name: 'web', uid: 'u' },
      provider: { name: 'lab', type: 'announce' },
      scheme: 'Public',
      frontends: [
        { protocol: 'TCP', port: 80 },
        { protocol: 'TCP', port: 443 },
      ],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
    };
    const status = {
      ingress: [{ ip: '192.0.2.10' }, { ip: '2001:db8::10' }],
      conditions: ready('True', 'Programmed', 'It works.'),
    };
    await client.patch(LOAD_BALANCERS, namespace, 'web.lab', { ...object, spec }, apply);
    await client.patch(
      LOAD_BALANCERS,
      namespace,
      'web.lab',
      { ...object, status },
      { ...apply, subresource: 'status' },
    );
  }

  async function makePool(): Promise<void> {
    const object = {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'AddressPool',
      metadata: { name: 'kubectl-pool' },
    };
    const spec = { addresses: ['192.0.2.0/28'] };
    const status = { total: '16', used: '1', free: '15', conditions: ready('False', 'InvalidRange', 'No.') };
    await client.patch(ADDRESS_POOLS, undefined, 'kubectl-pool', { ...object, spec }, apply);
    await client.patch(
      ADDRESS_POOLS,
      undefined,
      'kubectl-pool',
      { ...object, status },
      { ...apply, subresource: 'status' },
    );
  }

  /** The head line and the first row, each split into its columns. */
  async function table(...args: string[]): Promise<string[][]> {
    const text = await cluster.kubectl(['get', ...args]);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s{2,}/));
  }

  it('shows of a load balancer whose it is, where it answers and whether it works', async () => {
    const [head, row] = await table('lb', '-n', namespace);

    expect(head).to.deep.equal(['NAME', 'SERVICE', 'PROVIDER', 'ADDRESS', 'READY', 'REASON', 'AGE']);
    expect(row?.slice(0, -1)).to.deep.equal(['web.lab', 'web', 'lab', '192.0.2.10', 'True', 'Programmed']);
  });

  it('shows more of it when asked for wide', async () => {
    const [head, row] = await table('lb', '-n', namespace, '-o', 'wide');

    expect(head).to.include.members(['ADDRESS 2', 'HOSTNAME', 'HEALTHY', 'PROVIDER ID', 'MESSAGE']);
    expect(row).to.include.members(['192.0.2.10', '2001:db8::10', 'It works.']);
  });

  it('shows how much of a pool is left, and what is wrong with it', async () => {
    const [head, row] = await table('apool', 'kubectl-pool');

    expect(head).to.deep.equal(['NAME', 'ADDRESSES', 'TOTAL', 'USED', 'FREE', 'READY', 'REASON', 'AGE']);
    expect(row?.slice(1, -1)).to.deep.equal(['["192.0.2.0/28"]', '16', '1', '15', 'False', 'InvalidRange']);
  });

  it('lists all kinds under one name', async () => {
    const names = (await cluster.kubectl(['get', 'fairlead', '-A', '-o', 'name'])).split('\n');

    expect(names).to.include.members([
      'addresspool.fairlead.dev/kubectl-pool',
      'loadbalancer.fairlead.dev/web.lab',
    ]);
  });

  it('has a short name for each kind', async () => {
    const text = await cluster.kubectl(['api-resources', '--api-group', 'fairlead.dev', '--no-headers']);
    const shortNames = text
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).slice(0, 2).join(' '));

    expect(shortNames).to.have.members([
      'addresspools apool',
      'loadbalancerproviders lbp',
      'loadbalancers lb',
      'nodeforwarders nf',
      'portpools ppool',
    ]);
  });

  it('explains a field', async () => {
    const text = await cluster.kubectl(['explain', 'addresspool.spec.addresses']);

    expect(text.replaceAll(/\s+/g, ' ')).to.contain(
      'The addresses, of either family. All of a CIDR are given out',
    );
  });

  it('fills in defaults, nested ones too', async () => {
    const yaml =
      'apiVersion: fairlead.dev/v1alpha1\nkind: LoadBalancerProvider\nmetadata: {name: d}\nspec: {announce: {}, drift: {policy: Report}}\n';
    const text = await cluster.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], yaml);

    expect(JSON.parse(text).spec).to.deep.equal({
      announce: {},
      default: false,
      deletion: 'Delete',
      drift: { policy: 'Report', intervalSeconds: 300 },
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
    });
  });
});
