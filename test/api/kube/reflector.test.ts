import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { createInformer, type Informer } from '../../../kube/informer.ts';
import { silentLogger } from '../../../kube/log.ts';
import { NAMESPACES } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import type { TcpProxy } from '../../peers/tcp-proxy.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import {
  adminConfig,
  CONFIG_MAPS,
  type ConfigMap,
  configMap,
  eventually,
  proxiedClient,
  recordChanges,
} from './support.ts';

describe('kube/reflector against a real API server', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let direct: KubeClient;
  let namespace = '';
  let proxy: TcpProxy;
  let client: KubeClient;
  let informer: Informer<ConfigMap>;
  let errors: string[];

  const update = (name: string, value: string) =>
    direct.patch(CONFIG_MAPS, namespace, name, { data: { value } }, { contentType: 'merge' });
  const dataOf = (name: string) => informer.store.get(`${namespace}/${name}`)?.data?.value;

  function observe(options: { idleTimeoutMs?: number; pageSize?: number; labelSelector?: string } = {}) {
    errors = [];
    return createInformer(client, CONFIG_MAPS, {
      namespace,
      log: silentLogger,
      onError: (error) => errors.push(error.reason),
      ...options,
    });
  }

  before(async () => {
    cluster = await sharedCluster();
    direct = new KubeClient(await adminConfig(cluster));
  });
  after(() => direct.close());
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
    ({ client, proxy } = await proxiedClient(cluster));
    informer = observe();
  });
  afterEach(async () => {
    await informer.stop();
    await client.close();
    await proxy.stop();
    await direct.delete(NAMESPACES, undefined, namespace);
  });

  it('holds what is there, then follows what is added, modified and deleted', async () => {
    await direct.create(CONFIG_MAPS, configMap(namespace, 'early', { value: '1' }));
    const seen = recordChanges(informer);
    informer.start();
    await informer.synced;
    const afterSync = [...seen];

    await direct.create(CONFIG_MAPS, configMap(namespace, 'late'));
    await update('early', '2');
    await direct.delete(CONFIG_MAPS, namespace, 'late');
    await eventually('three changes', () => seen.length === afterSync.length + 3);

    expect(afterSync).to.deep.equal(['Added early']);
    expect(seen.slice(1)).to.deep.equal(['Added late', 'Modified early', 'Deleted late']);
    expect(dataOf('early')).to.equal('2');
    expect(errors).to.deep.equal([]);
  });

  it('gives the same object whether it was listed or watched, without managedFields', async () => {
    const watching = observe();
    watching.start();
    await watching.synced;
    const object = configMap(namespace, 'same', { value: 'x' });
    object.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' };
    await direct.create(CONFIG_MAPS, object);
    await eventually('it is watched', () => watching.store.size === 1);
    informer.start();
    await informer.synced;

    const listed = informer.store.get(`${namespace}/same`);

    expect(listed).to.deep.equal(watching.store.get(`${namespace}/same`));
    expect(Object.keys(listed?.metadata ?? {})).not.to.include('managedFields');
    expect(listed?.metadata.annotations).to.deep.equal({ kept: 'yes' });
    expect(listed).to.include({ kind: 'ConfigMap', apiVersion: 'v1' });
    await watching.stop();
  });

  it('sees an object leave its selector as a deletion, and come back as an addition', async () => {
    informer = observe({ labelSelector: 'color=red' });
    const seen = recordChanges(informer);
    informer.start();
    const paint = (color: string) =>
      direct.patch(
        CONFIG_MAPS,
        namespace,
        'wall',
        { metadata: { labels: { color } } },
        { contentType: 'merge' },
      );
    await direct.create(CONFIG_MAPS, configMap(namespace, 'wall'));

    await paint('red');
    await eventually('it came', () => seen.length === 1);
    await paint('blue');
    await paint('red');
    await eventually('all seen', () => seen.length === 3);

    expect(seen).to.deep.equal(['Added wall', 'Deleted wall', 'Added wall']);
  });

  it('lists more objects than a page holds', async () => {
    informer = observe({ pageSize: 3 });
    for (let i = 0; i < 10; i++) await direct.create(CONFIG_MAPS, configMap(namespace, `many-${i}`));

    informer.start();
    await informer.synced;

    expect(informer.store.size).to.equal(10);
  });

  it('goes on where it was when its connection is cut, again and again, and misses nothing', async () => {
    const seen = recordChanges(informer);
    informer.start();
    await informer.synced;
    await direct.create(CONFIG_MAPS, configMap(namespace, 'steady', { value: '0' }));

    for (let i = 1; i <= 20; i++) {
      if (i % 4 === 0) proxy.cut();
      await update('steady', String(i));
      await sleep(10);
    }
    await eventually('the last change', () => dataOf('steady') === '20');

    expect(seen).to.deep.equal(['Added steady', ...Array.from({ length: 20 }, () => 'Modified steady')]);
    expect(errors.length).to.be.above(0);
  });

  it('is back within a second after one cut of a watch that worked', async () => {
    informer.start();
    await informer.synced;
    await direct.create(CONFIG_MAPS, configMap(namespace, 'quick', { value: '0' }));
    await eventually('it is there', () => dataOf('quick') === '0');

    // The best of several: a busy machine may take its time for one, and a pause before trying again is in each.
    const delays: number[] = [];
    for (let round = 1; round <= 5 && !delays.some((delay) => delay < 1_000); round++) {
      proxy.cut();
      const cutAt = performance.now();
      await update('quick', `${round}`);
      await eventually('it is back', () => dataOf('quick') === `${round}`, 30_000);
      delays.push(performance.now() - cutAt);
    }

    expect(Math.min(...delays)).to.be.below(1_000);
  });

  it('cuts a watch that went silent, and catches up', async () => {
    informer = observe({ idleTimeoutMs: 600 });
    informer.start();
    await informer.synced;
    await direct.create(CONFIG_MAPS, configMap(namespace, 'stalled', { value: '0' }));
    await eventually('it is there', () => dataOf('stalled') === '0');

    proxy.stall();
    await update('stalled', '1');
    await eventually('the silence is noticed', () => errors.includes('WatchSilent'));
    proxy.heal();
    proxy.cut();
    await eventually('it caught up', () => dataOf('stalled') === '1');
  });

  it('takes a quiet kind for quiet: no change is told for watches cut by the watchdog', async () => {
    await direct.create(CONFIG_MAPS, configMap(namespace, 'quiet', { value: '0' }));
    informer = observe({ idleTimeoutMs: 150 });
    const seen = recordChanges(informer);
    informer.start();
    await informer.synced;

    await eventually('three silent watches', () => errors.length >= 3, 20_000);
    const seenWhileQuiet = [...seen];
    await update('quiet', '1');
    await eventually('it is awake', () => dataOf('quiet') === '1', 20_000);

    expect(seenWhileQuiet).to.deep.equal(['Added quiet']);
    expect(seen).to.deep.equal(['Added quiet', 'Modified quiet']);
  });

  it('stops while it connects to a server that does not answer, and leaves nothing', async () => {
    proxy.stall();
    informer.start();
    await eventually('it connects', () => proxy.connections > 0);
    const begin = performance.now();

    await informer.stop();
    await client.close();

    // Far less than the half minute that a request may take.
    expect(performance.now() - begin).to.be.below(15_000);
    // A stalled proxy does not see its peers leave.
    proxy.heal();
    await eventually('no connection is left', () => proxy.connections === 0);
    expect(informer.hasSynced).to.equal(false);
  });

  it('stops at any moment: in the list, between list and watch, in the watch; and tells nothing after that', async () => {
    for (let i = 0; i < 30; i++) await direct.create(CONFIG_MAPS, configMap(namespace, `stop-${i}`));
    for (let ms = 0; ms < 60; ms += 4) {
      const each = observe({ pageSize: 5 });
      const seen = recordChanges(each);
      each.start();
      await sleep(ms);
      await each.stop();
      const seenAtStop = seen.length;
      await update('stop-0', String(ms));
      await sleep(10);

      expect(seen.length).to.equal(seenAtStop);
    }
    await client.close();
    await eventually('no connection is left', () => proxy.connections === 0);
  });

  it('stops while it waits to try again', async () => {
    proxy.refuse();
    const delays: number[] = [];
    for (let round = 0; round < 5 && !delays.some((delay) => delay < 200); round++) {
      informer = observe();
      informer.start();
      await eventually('it failed', () => errors.length > 0);
      const begin = performance.now();
      await informer.stop();
      delays.push(performance.now() - begin);
    }

    expect(Math.min(...delays)).to.be.below(200);
  });

  it('syncs once the server can be reached', async () => {
    await direct.create(CONFIG_MAPS, configMap(namespace, 'patient'));
    proxy.refuse();
    informer.start();
    await eventually('it failed', () => errors.length > 0);

    proxy.heal();
    await informer.synced;

    expect(informer.store.size).to.equal(1);
    expect(performance.now() - informer.lastContact).to.be.below(5_000);
  });

  it('is not stopped by a handler that throws', async () => {
    let calls = 0;
    informer.store.onChange(() => {
      calls++;
      throw new Error('handler');
    });
    informer.start();
    await informer.synced;

    await direct.create(CONFIG_MAPS, configMap(namespace, 'thrown', { value: '0' }));
    await update('thrown', '1');
    await eventually('both came', () => calls === 2);

    expect(dataOf('thrown')).to.equal('1');
    expect(errors).to.deep.equal([]);
  });
});
