import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { applyObject, applyStatus } from '../../../kube/apply.ts';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import type { Service } from '../../../kube/objects.ts';
import { NAMESPACES, SERVICES } from '../../../kube/resources.ts';
import { Authority } from '../../controlplane/certificates.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { adminConfig, CONFIG_MAPS, configMap, errorOf } from './support.ts';

describe('kube/client against a real API server', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let namespace = '';

  before(async () => {
    cluster = await sharedCluster();
    client = new KubeClient(await adminConfig(cluster));
    namespace = await freshNamespace(cluster);
  });
  after(async () => {
    await client.delete(NAMESPACES, undefined, namespace);
    await client.close();
  });

  it('creates, reads, patches in three ways and deletes', async () => {
    await client.create(CONFIG_MAPS, configMap(namespace, 'all', { a: '1' }));
    const merged = await client.patch(
      CONFIG_MAPS,
      namespace,
      'all',
      { data: { b: '2' } },
      { contentType: 'merge' },
    );
    const steps = [{ op: 'replace', path: '/data/a', value: '9' }];
    await client.patch(CONFIG_MAPS, namespace, 'all', steps, { contentType: 'json' });
    await applyObject(client, CONFIG_MAPS, configMap(namespace, 'all', { c: '3' }), { fieldManager: 'test' });
    const read = await client.get(CONFIG_MAPS, namespace, 'all');
    await client.delete(CONFIG_MAPS, namespace, 'all');

    expect(merged.data).to.deep.equal({ a: '1', b: '2' });
    expect(read.data).to.deep.equal({ a: '9', b: '2', c: '3' });
    expect(await errorOf(client.get(CONFIG_MAPS, namespace, 'all'))).to.include({
      class: 'NotFound',
      code: 404,
    });
    await client.delete(CONFIG_MAPS, namespace, 'all');
  });

  it('classes what the server refuses, with its reason', async () => {
    await client.create(CONFIG_MAPS, configMap(namespace, 'refused'));

    const twice = await errorOf(client.create(CONFIG_MAPS, configMap(namespace, 'refused')));
    const invalid = await errorOf(client.create(CONFIG_MAPS, configMap(namespace, 'NO_NAME')));
    const other = await errorOf(client.delete(CONFIG_MAPS, namespace, 'refused', { uid: 'another' }));

    expect(twice).to.include({ class: 'Conflict', reason: 'AlreadyExists', code: 409 });
    expect(invalid).to.include({ class: 'Rejected', reason: 'Invalid', code: 422 });
    expect(other).to.include({ class: 'Conflict', reason: 'Conflict', code: 409 });
    expect(String(invalid)).to.include('NO_NAME');
  });

  it('lists page by page as of one moment', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page-${index}`);
    for (const name of names) {
      const object = configMap(namespace, name);
      object.metadata.labels = { set: 'pages' };
      await client.create(CONFIG_MAPS, object);
    }

    const { items, resourceVersion } = await client.list(CONFIG_MAPS, {
      namespace,
      labelSelector: 'set=pages',
      limit: 2,
    });

    expect(items.map((item) => item.metadata.name)).to.deep.equal(names);
    expect(Number(resourceVersion)).to.be.above(0);
  });

  it('applies a status to that very object, not to a namesake, and not where there is none', async () => {
    const service: Service = {
      metadata: { namespace, name: 'svc' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    };
    const { metadata } = await client.create(SERVICES, service);
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } };
    const { name, uid } = metadata;

    const applied = await applyStatus(
      client,
      SERVICES,
      { metadata: { name, namespace, uid }, status },
      { fieldManager: 'test' },
    );
    const dead = { metadata: { name, namespace, uid: '00000000-0000-0000-0000-000000000000' }, status };
    const gone = { metadata: { name: 'gone', namespace, uid }, status };

    expect(applied.status?.loadBalancer?.ingress?.[0]?.ip).to.equal('192.0.2.7');
    expect(await errorOf(applyStatus(client, SERVICES, dead, { fieldManager: 'test' }))).to.include({
      class: 'Conflict',
    });
    expect(await errorOf(applyStatus(client, SERVICES, gone, { fieldManager: 'test' }))).to.include({
      class: 'Conflict',
    });
  });

  it('reads a rotated token once it is refused', async () => {
    const serviceAccounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await client.request('POST', serviceAccounts, { body: { metadata: { name: 'robot' } } });
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'robot');
    const fresh = (await (await loadConnectionConfig({ kubeconfig })).token?.()) ?? '';
    const tokenFile = join(cluster.dir, 'rotated.token');
    await writeFile(tokenFile, 'eyJhbGciOiJub25lIn0.expired.token');
    const admin = await adminConfig(cluster);
    const text = JSON.stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [
        {
          name: 'x',
          cluster: {
            server: admin.server,
            'certificate-authority-data': Buffer.from(admin.ca ?? '').toString('base64'),
          },
        },
      ],
      users: [{ name: 'x', user: { tokenFile } }],
    });
    await writeFile(join(cluster.dir, 'rotated.kubeconfig'), text);
    const robot = new KubeClient(
      await loadConnectionConfig({ kubeconfig: join(cluster.dir, 'rotated.kubeconfig') }),
    );
    const review = () =>
      robot.request<{ status: { userInfo: { username: string } } }>(
        'POST',
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        {
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        },
      );

    const refused = await errorOf(review());
    await writeFile(tokenFile, fresh);
    const accepted = await review();

    expect(refused).to.include({ class: 'Transient', code: 401, reason: 'Unauthorized' });
    expect(accepted.status.userInfo.username).to.equal(`system:serviceaccount:${namespace}:robot`);
    await robot.close();
  });

  it('takes up a rotated client certificate, on connections that were open under the old one too', async () => {
    const admin = await adminConfig(cluster);
    const foreign = await (await Authority.create('another cluster')).issueClient('nobody', []);
    let current: { cert: string; key: string } = foreign;
    const { server, ca, cert = '', key = '' } = admin;
    const rotating = new KubeClient({
      server,
      ...(ca === undefined ? {} : { ca }),
      reloadTls: async () => ({ ca, ...current }),
    });

    const refused = await errorOf(rotating.list(NAMESPACES));
    current = { cert, key };
    const { items } = await rotating.list(NAMESPACES);

    expect(refused).to.include({ class: 'Transient', code: 401 });
    expect(items.length).to.be.above(0);
    await rotating.close();
  });

  it('does not trust a server of another authority', async () => {
    const { server } = await adminConfig(cluster);
    const ca = (await Authority.create('another')).cert;
    const mistaken = new KubeClient({ server, ca });

    const error = await errorOf(mistaken.request('GET', '/version'));

    expect(error).to.include({ class: 'Transient', reason: 'TlsFailed' });
    await mistaken.close();
  });

  it('answers requests while more watches are open than it has connections for requests', async () => {
    const narrow = new KubeClient(await adminConfig(cluster), { connections: 1 });
    const controller = new AbortController();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const open = () => narrow.stream(path, { query: { watch: 1 }, signal: controller.signal });
    await Promise.all(Array.from({ length: 5 }, open));

    const { items } = await narrow.list(NAMESPACES);

    expect(items.length).to.be.above(0);
    controller.abort();
    await narrow.close();
  });

  it('writes nothing once it may not', async () => {
    const fenced = new KubeClient(await adminConfig(cluster), {
      beforeWrite: () => {
        throw new Error('not the leader');
      },
    });

    const error = await errorOf(fenced.create(CONFIG_MAPS, configMap(namespace, 'fenced')));
    await fenced.list(NAMESPACES);

    expect(String(error)).to.include('not the leader');
    expect(await errorOf(client.get(CONFIG_MAPS, namespace, 'fenced'))).to.include({ class: 'NotFound' });
    await fenced.close();
  });
});
