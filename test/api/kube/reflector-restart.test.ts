import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { isClass } from '../../../kube/errors.ts';
import { createInformer, type Informer } from '../../../kube/informer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { StoreChange } from '../../../kube/store.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import type { TcpProxy } from '../../peers/tcp-proxy.ts';
import { freshNamespace } from '../support/cluster.ts';
import {
  adminConfig,
  CONFIG_MAPS,
  type ConfigMap,
  configMap,
  eventually,
  proxiedClient,
  recordChanges,
} from './support.ts';

/** An API server of its own: others would not like to see theirs killed. */
describe('kube/reflector and an API server that restarts', function () {
  this.timeout(120_000);
  let cluster: ControlPlane;
  let direct: KubeClient;
  let namespace = '';
  let proxy: TcpProxy;
  let client: KubeClient;
  let informer: Informer<ConfigMap>;
  let errors: string[];

  before(async () => {
    cluster = await startControlPlane();
    direct = new KubeClient(await adminConfig(cluster));
  });
  after(async () => {
    await direct?.close();
    await cluster?.stop();
  });
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
    ({ client, proxy } = await proxiedClient(cluster));
    errors = [];
    informer = createInformer(client, CONFIG_MAPS, {
      namespace,
      log: silentLogger,
      pageSize: 7,
      longestDelayMs: 1_000,
      onError: (error) => errors.push(error.reason),
    });
  });
  afterEach(async () => {
    await informer.stop();
    await client.close();
    await proxy.stop();
  });

  it('lists again when the place to watch from is gone, and tells what happened meanwhile', async () => {
    const patch = { data: { value: '1' } };
    await direct.create(CONFIG_MAPS, configMap(namespace, 'stays', { value: '0' }));
    await direct.create(CONFIG_MAPS, configMap(namespace, 'goes'));
    await direct.create(CONFIG_MAPS, configMap(namespace, 'reborn', { value: 'old' }));
    const seen = recordChanges(informer);
    informer.start();
    await informer.synced;
    proxy.refuse();
    proxy.cut();

    await direct.delete(CONFIG_MAPS, namespace, 'goes');
    await direct.delete(CONFIG_MAPS, namespace, 'reborn');
    await direct.create(CONFIG_MAPS, configMap(namespace, 'reborn', { value: 'new' }));
    await direct.create(CONFIG_MAPS, configMap(namespace, 'comes'));
    await direct.patch(CONFIG_MAPS, namespace, 'stays', patch, { contentType: 'merge' });
    await cluster.stopApiServer('SIGKILL');
    await cluster.startApiServer();
    proxy.heal();
    const dataOf = (name: string) => informer.store.get(`${namespace}/${name}`)?.data?.value;
    await eventually('it caught up', () => dataOf('stays') === '1', 20_000);

    expect(errors).to.include('Expired');
    expect(seen.slice(0, 3).sort()).to.deep.equal(['Added goes', 'Added reborn', 'Added stays']);
    expect(seen.slice(3, 5).sort()).to.deep.equal(['Deleted goes', 'Deleted reborn']);
    expect(seen.slice(5).sort()).to.deep.equal(['Added comes', 'Added reborn', 'Modified stays']);
    expect(dataOf('reborn')).to.equal('new');
  });

  it('ends equal to the truth when the server is killed twice while objects come, change and go', async () => {
    const replayed = new Map<string, ConfigMap>();
    const wrong: string[] = [];
    informer.store.onChange((change) => replay(replayed, change, wrong));
    informer.start();
    let writing = true;
    const writers = Promise.all([0, 1, 2].map((id) => write(direct, namespace, id, () => writing)));

    for (let kill = 0; kill < 2; kill++) {
      await sleep(1_500);
      await cluster.stopApiServer('SIGKILL');
      await sleep(300);
      await cluster.startApiServer();
    }
    await sleep(1_000);
    writing = false;
    const writes = await writers;

    const { items } = await direct.list(CONFIG_MAPS, { namespace });
    const truth = items.map(versionOf).sort();
    await eventually(
      'the store is the truth',
      () => informer.store.list().map(versionOf).sort().join() === truth.join(),
      30_000,
    );
    expect([...replayed.values()].map(versionOf).sort()).to.deep.equal(truth);
    expect(wrong).to.deep.equal([]);
    expect(writes.reduce((sum, each) => sum + each, 0)).to.be.above(30);
  });

  it('starts while there is no server, and syncs when there is one', async () => {
    await direct.create(CONFIG_MAPS, configMap(namespace, 'waiting'));
    await cluster.stopApiServer('SIGKILL');
    informer.start();
    await eventually('it failed', () => errors.length > 0);

    await cluster.startApiServer();
    await informer.synced;

    expect(informer.store.size).to.equal(1);
  });

  it('calls it Expired when etcd has forgotten the moment that the next page is of', async () => {
    for (let i = 0; i < 20; i++) await direct.create(CONFIG_MAPS, configMap(namespace, `page-${i}`));
    const first = await direct.request<{ metadata: { continue: string } }>(
      'GET',
      `/api/v1/namespaces/${namespace}/configmaps`,
      { query: { limit: 7 } },
    );
    // Compaction alone is not enough where the watch cache still has that moment: a server that starts has none.
    await direct.create(CONFIG_MAPS, configMap(namespace, 'later'));
    await compact(cluster);
    await cluster.stopApiServer('SIGKILL');
    await cluster.startApiServer();

    const error: unknown = await direct
      .request('GET', `/api/v1/namespaces/${namespace}/configmaps`, {
        query: { limit: 7, continue: first.metadata.continue },
      })
      .catch((thrown: unknown) => thrown);

    expect(isClass(error, 'Expired')).to.equal(true);
  });
});

function versionOf(object: ConfigMap): string {
  return `${object.metadata.name} ${object.metadata.uid} ${object.metadata.resourceVersion}`;
}

/** Takes a change over into a copy, and notes what could not have happened. */
function replay(copy: Map<string, ConfigMap>, change: StoreChange<ConfigMap>, wrong: string[]): void {
  const known = copy.get(change.key);
  if ((known !== undefined) === (change.type === 'Added')) wrong.push(`${change.type} ${change.key}`);
  if (change.type === 'Modified' && known?.metadata.uid !== change.object.metadata.uid) {
    wrong.push(`Modified ${change.key} into another object`);
  }
  if (change.type === 'Deleted') copy.delete(change.key);
  else copy.set(change.key, change.object);
}

/** Creates, changes and deletes objects until told; returns how many writes succeeded. */
async function write(
  client: KubeClient,
  namespace: string,
  id: number,
  goOn: () => boolean,
): Promise<number> {
  let succeeded = 0;
  for (let i = 0; goOn(); i++) {
    const name = `storm-${id}-${i % 15}`;
    try {
      await client.create(CONFIG_MAPS, configMap(namespace, name, { value: `${i}` })).catch(async (error) => {
        if (!isClass(error, 'Conflict')) throw error;
        if (i % 2 === 0) await client.delete(CONFIG_MAPS, namespace, name);
        else
          await client.patch(
            CONFIG_MAPS,
            namespace,
            name,
            { data: { value: `${i}` } },
            { contentType: 'merge' },
          );
      });
      succeeded++;
      await sleep(5);
    } catch {
      await sleep(50);
    }
  }
  return succeeded;
}

/** Makes etcd forget everything but the present. */
async function compact(cluster: ControlPlane): Promise<void> {
  const post = async (path: string, body: object) =>
    (await (
      await fetch(`${cluster.etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
    ).json()) as {
      header?: { revision?: string };
    };
  const { header } = await post('range', { key: 'AA==', limit: '1' });
  await post('compaction', { revision: header?.revision, physical: true });
}
