import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { EventRecorder } from '../../../kube/events.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { EVENTS, NAMESPACES, pathOf } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';
import type { TcpProxy } from '../../peers/tcp-proxy.ts';
import { recordingLogger } from '../../unit/kube/support.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { adminConfig, CONFIG_MAPS, configMap, eventually, proxiedClient } from './support.ts';

interface Event extends KubeObject {
  regarding: { kind: string; name: string; namespace?: string; uid?: string };
  reason: string;
  note: string;
  type: string;
  action: string;
  reportingController: string;
  reportingInstance: string;
  series?: { count: number; lastObservedTime: string };
}

describe('kube/events', function () {
  this.timeout(90_000);
  let cluster: ControlPlane;
  let admin: KubeClient;
  let client: KubeClient;
  let proxy: TcpProxy;
  let namespace = '';
  let regarding: KubeObject;
  let recorder: EventRecorder;
  let lines: string[];

  function makeRecorder(
    through: KubeClient,
    seriesIntervalMs = 50,
    more: { seriesLifeMs?: number } = {},
  ): EventRecorder {
    const recording = recordingLogger();
    lines = recording.lines;
    return new EventRecorder({
      client: through,
      component: 'fairlead.dev/test',
      instance: 'pod-1',
      log: recording.log,
      seriesIntervalMs,
      ...more,
    });
  }
  async function written(): Promise<Event[]> {
    const { items } = await admin.list(EVENTS, { namespace });
    return items as Event[];
  }

  before(async () => {
    cluster = await sharedCluster();
    admin = new KubeClient(await adminConfig(cluster));
  });
  after(() => admin.close());
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
    ({ client, proxy } = await proxiedClient(cluster));
    regarding = await admin.create(CONFIG_MAPS, configMap(namespace, 'thing'));
    recorder = makeRecorder(client);
  });
  afterEach(async () => {
    await recorder.stop();
    await client.close();
    await proxy.stop();
    await admin.delete(NAMESPACES, undefined, namespace);
  });

  it('writes what all say alike once, however many say it and however often', async () => {
    const another = makeRecorder(admin);
    for (const each of [recorder, another, recorder]) {
      each.emitShared(regarding, 'Warning', 'FrontendClaimed', 'by another');
    }
    recorder.emitShared(regarding, 'Warning', 'FrontendClaimed', 'by a third');
    await Promise.all([recorder.stop(), another.stop()]);

    const events = await written();
    expect(events.map(({ note }) => note).sort()).to.deep.equal(['by a third', 'by another']);
    for (const event of events) {
      expect(event).to.include({ type: 'Warning', reportingInstance: 'fairlead.dev/test' });
      expect(event).to.not.have.property('series');
    }
    expect(lines).to.deep.equal([]);
  });

  it('writes what all say alike anew once it was said long ago and its Event is gone', async () => {
    const lasting = makeRecorder(admin, 50, { seriesLifeMs: 1 });
    const say = () => lasting.emitShared(regarding, 'Warning', 'FrontendClaimed', 'by another');
    say();
    await eventually('it is there', async () => (await written()).length === 1);
    await admin.request('DELETE', pathOf(EVENTS, namespace));
    say();
    await eventually('it is there again', async () => (await written()).length === 1);
    await lasting.stop();
  });

  it('writes an Event that kubectl shows with its object', async () => {
    recorder.emit(regarding, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer', 'Reconcile');
    await recorder.stop();

    const [event, ...others] = await written();
    const shown = await cluster.kubectl(['-n', namespace, 'describe', 'configmap', 'thing']);

    expect(others).to.deep.equal([]);
    expect(event).to.include({
      reason: 'EnsuredLoadBalancer',
      note: 'Ensured load balancer',
      type: 'Normal',
      action: 'Reconcile',
      reportingController: 'fairlead.dev/test',
      reportingInstance: 'pod-1',
    });
    expect(event?.regarding).to.include({ kind: 'ConfigMap', name: 'thing', uid: regarding.metadata.uid });
    expect(event?.series).to.equal(undefined);
    expect(shown).to.match(/Normal\s+EnsuredLoadBalancer\s.*fairlead\.dev\/test.*Ensured load balancer/);
  });

  it('makes one Event of what repeats, with its count', async () => {
    for (let i = 0; i < 40; i++) {
      recorder.emit(regarding, 'Warning', 'SyncLoadBalancerFailed', 'no address is free');
      await sleep(5);
    }
    recorder.emit(regarding, 'Warning', 'SyncLoadBalancerFailed', 'another note');
    await recorder.stop();

    const events = await written();

    expect(events.map(({ note, series }) => [note, series?.count]).sort()).to.deep.equal([
      ['another note', undefined],
      ['no address is free', 40],
    ]);
  });

  it('keeps the objects of one name apart', async () => {
    recorder.emit(regarding, 'Normal', 'Same', 'note');
    recorder.emit(
      { ...regarding, metadata: { ...regarding.metadata, uid: 'another' } },
      'Normal',
      'Same',
      'note',
    );
    await recorder.stop();

    expect((await written()).map((event) => event.regarding.uid).sort()).to.deep.equal(
      [regarding.metadata.uid, 'another'].sort(),
    );
  });

  it('writes of a cluster-scoped object into the namespace default', async () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, uid: `uid-${namespace}` },
    };
    recorder.emit(node, 'Normal', 'Registered', 'in default');
    await recorder.stop();

    const events = (await admin.list(EVENTS, { namespace: 'default' })).items as Event[];

    expect(events.filter((event) => event.regarding.uid === `uid-${namespace}`)).to.have.length(1);
  });

  it('fits what is too long for the API', async () => {
    recorder.emit(regarding, 'Warning', 'R'.repeat(300), 'ü🚢'.repeat(2_000), 'A'.repeat(300));
    await recorder.stop();

    const [event] = await written();

    expect(event?.reason).to.equal('R'.repeat(128));
    expect(Buffer.byteLength(event?.note ?? '')).to.be.within(900, 1024);
    expect(lines).to.deep.equal([]);
  });

  it('drops what one object floods, not what another says', async () => {
    const other = await admin.create(CONFIG_MAPS, configMap(namespace, 'other'));
    for (let i = 0; i < 200; i++) recorder.emit(regarding, 'Warning', 'Flood', `note ${i}`);
    recorder.emit(other, 'Normal', 'Calm', 'heard');
    // Stopping writes for two seconds at most, which needn't be enough for all.
    await eventually('all are written', async () => (await written()).length >= 26);
    await recorder.stop();

    const events = await written();

    expect(events.filter(({ reason }) => reason === 'Flood')).to.have.length(25);
    expect(events.filter(({ reason }) => reason === 'Calm')).to.have.length(1);
    expect(lines.length).to.be.within(1, 10);
  });

  it('begins a new Event when the first was deleted', async () => {
    recorder.emit(regarding, 'Normal', 'Repeated', 'note');
    await eventually('it is there', async () => (await written()).length === 1);
    await admin.request('DELETE', pathOf(EVENTS, namespace));

    recorder.emit(regarding, 'Normal', 'Repeated', 'note');
    await recorder.stop();

    expect((await written()).map(({ series }) => series?.count)).to.deep.equal([2]);
  });

  it('never makes its caller wait, and ends in time, when the server does not answer', async () => {
    proxy.stall();
    const begin = performance.now();
    for (let i = 0; i < 10_000; i++) {
      recorder.emit(
        { kind: 'ConfigMap', metadata: { name: `n${i}`, namespace, uid: `u${i}` } },
        'Normal',
        'Stalled',
        'note',
      );
    }
    const emitted = performance.now() - begin;
    await recorder.stop();

    // One answer awaited takes longer than all of this; stop waits for two seconds.
    expect(emitted).to.be.below(10_000);
    expect(performance.now() - begin).to.be.below(emitted + 10_000);
    expect(lines).to.include('warn EventsDropped');
  });

  it('writes after the server was away for a moment', async () => {
    proxy.refuse();
    recorder.emit(regarding, 'Normal', 'Late', 'note');
    await sleep(500);
    proxy.heal();

    await eventually('it is there', async () => (await written()).length === 1);

    expect(lines).to.deep.equal([]);
  });

  it('needs no more than create and patch', async () => {
    const verbs: string[] = [];
    const server = await ScriptedServer.start((request, response) => {
      verbs.push(request.method ?? '');
      sendJson(response, 201, {});
    });
    const limited = new KubeClient({ server: server.url });
    const own = makeRecorder(limited, 20);
    const begin = performance.now();
    for (let i = 0; i < 20; i++) {
      own.emit(regarding, 'Normal', 'Verbs', 'note');
      await sleep(5);
    }
    await own.stop();

    expect([...new Set(verbs)].sort()).to.deep.equal(['PATCH', 'POST']);
    // One when it begins, one for the first repeat, one for each 20 ms of repeats, and what stopping writes.
    expect(verbs.length).to.be.at.most(3 + (performance.now() - begin) / 20);
    await limited.close();
    await server.stop();
  });

  it('says once that it may not write, and not for each Event', async () => {
    await admin.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      body: { metadata: { name: 'mute' } },
    });
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'mute');
    const mute = new KubeClient(await loadConnectionConfig({ kubeconfig }));
    const own = makeRecorder(mute);
    for (let i = 0; i < 20; i++) own.emit(regarding, 'Normal', 'Forbidden', `note ${i}`);
    await own.stop();

    expect(lines.length).to.be.within(1, 5);
    expect(await written()).to.deep.equal([]);
    await mute.close();
  });
});
