import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { isClass } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { resource } from '../../../kube/resources.ts';
import { type ResourceEvent, ResourceEventType } from '../../../operator/operator.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { eventually } from './eventually.ts';
import { FINALIZER, fooOf, WatchingOperator, type Widget, WidgetOperator } from './widget-operator.ts';

const WIDGETS = resource<KubeObject & Widget>('test.fairlead.dev', 'v1', 'widgets', 'Widget', true);
const CONFIG_MAPS = resource<KubeObject & { data?: Record<string, string> }>(
  '',
  'v1',
  'configmaps',
  'ConfigMap',
  true,
);
const { Added, Modified, Deleted } = ResourceEventType;
/** The watch of the base class and of client-node ended after so long without an event. */
const QUIET_MS = 32_000;

describe('operator/operator: code written for the base class', () => {
  let cluster: ControlPlane;
  let client: KubeClient;
  let namespace: string;
  let operators: { stop(): Promise<void> }[] = [];
  let exits: unknown[] = [];
  const exit = process.exit;

  before(async function () {
    this.timeout(180_000);
    cluster = await sharedCluster();
    client = cluster.adminClient();
    // The base class ended the process in many ways; here any of them must show.
    process.exit = ((code: unknown) => {
      exits.push(code);
    }) as typeof process.exit;
  });
  after(async () => {
    process.exit = exit;
    // Chosen tests may have registered none.
    await client
      .request('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.test.fairlead.dev')
      .catch((error: unknown) => {
        if (!isClass(error, 'NotFound')) throw error;
      });
  });
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
  });
  afterEach(async () => {
    await Promise.all(operators.map((operator) => operator.stop()));
    operators = [];
    expect(exits).to.deep.equal([]);
    exits = [];
  });

  function widgetOperator(): WidgetOperator {
    const operator = new WidgetOperator(namespace, { kubeconfig: cluster.kubeconfig });
    operators.push(operator);
    return operator;
  }

  function watching(
    watched: ConstructorParameters<typeof WatchingOperator>[1],
    onEvent: ConstructorParameters<typeof WatchingOperator>[2],
    options: ConstructorParameters<typeof WatchingOperator>[3] = { kubeconfig: cluster.kubeconfig },
  ): WatchingOperator {
    const operator = new WatchingOperator(namespace, watched, onEvent, options);
    operators.push(operator);
    return operator;
  }

  /** Waits until its kind is served: start() doesn't, and the API server takes a moment after it has a definition. */
  async function createWidget(name: string, foo: string): Promise<KubeObject & Widget> {
    await eventually(() => client.list(WIDGETS, { namespace }));
    return await client.create(WIDGETS, {
      apiVersion: 'test.fairlead.dev/v1',
      kind: 'Widget',
      metadata: { name, namespace },
      spec: { foo },
    });
  }

  function createConfigMap(name: string, data: Record<string, string>, labels: Record<string, string> = {}) {
    return client.create(CONFIG_MAPS, { metadata: { name, namespace, labels }, data });
  }

  function patchConfigMap(name: string, data: Record<string, string>, to: KubeClient = client) {
    return to.patch(CONFIG_MAPS, namespace, name, { data }, { contentType: 'merge' });
  }

  function createdWidget(name: string): Promise<KubeObject & Widget> {
    return eventually(async () => {
      const widget = await client.get(WIDGETS, namespace, name);
      expect(widget.status?.observedGeneration).to.equal(widget.metadata.generation);
      return widget;
    });
  }

  it('hears of an object added, modified and deleted, keeps it by its finalizer, and writes its status', async () => {
    const operator = widgetOperator();
    await operator.start();

    await createWidget('w', 'one');
    const created = await createdWidget('w');
    await client.patch(WIDGETS, namespace, 'w', { spec: { foo: 'two' } }, { contentType: 'merge' });
    const modified = await createdWidget('w');
    await eventually(() => expect(operator.told.at(-1)?.foo).to.equal('two'));
    await client.delete(WIDGETS, namespace, 'w');
    await eventually(() => expect(operator.told.at(-1)?.type).to.equal(Deleted));

    expect(created.metadata.finalizers).to.deep.equal([FINALIZER]);
    expect(created.status).to.deep.equal({ observedGeneration: 1, seen: 'one' });
    expect(modified.status).to.deep.equal({ observedGeneration: 2, seen: 'two' });
    expect(operator.told[0]).to.deep.equal({ type: Added, name: 'w', foo: 'one' });
    expect(operator.told.slice(1, -1).every((told) => told.type === Modified)).to.equal(true);
    expect(operator.deleted).to.deep.equal(['w']);
  });

  it('sets the whole status, patches a part of it, and answers with what the object is now', async () => {
    const operator = widgetOperator();
    await operator.start();
    await createWidget('w', 'one');
    await createdWidget('w');
    await eventually(() => expect(operator.metas.has('w')).to.equal(true));
    const read = async () => (await client.get(WIDGETS, namespace, 'w')).status;

    const meta = operator.metas.get('w');
    if (meta === undefined) throw new Error('no meta');
    const fresh = {
      ...meta,
      resourceVersion: (await client.get(WIDGETS, namespace, 'w')).metadata.resourceVersion ?? '',
    };
    const patched = await operator.patchResourceStatus(fresh, { note: 'n' });
    const afterPatch = await read();
    const set = patched && (await operator.setResourceStatus(patched, { observedGeneration: 1, seen: 's' }));
    const afterSet = await read();
    const stale = await operator.setResourceStatus(fresh, { seen: 'late' });

    expect(afterPatch).to.deep.equal({ observedGeneration: 1, seen: 'one', note: 'n' });
    expect(afterSet).to.deep.equal({ observedGeneration: 1, seen: 's' });
    expect(set?.resourceVersion).not.to.equal(patched?.resourceVersion);
    expect(set).to.include({ name: 'w', namespace, id: 'widgets.test.fairlead.dev/v1', kind: 'Widget' });
    expect(stale).to.equal(null);
    expect(await read()).to.deep.equal(afterSet);
  });

  it('leaves the finalizers of others alone, also those that came after the event', async () => {
    const operator = widgetOperator();
    await operator.start();
    await createWidget('w', 'one');
    await createdWidget('w');

    const finalizers = [FINALIZER, 'test.fairlead.dev/other'];
    await client.patch(WIDGETS, namespace, 'w', { metadata: { finalizers } }, { contentType: 'merge' });
    await client.delete(WIDGETS, namespace, 'w');
    await eventually(async () => {
      const widget = await client.get(WIDGETS, namespace, 'w');
      expect(widget.metadata.finalizers).to.deep.equal(['test.fairlead.dev/other']);
    });
    await client.patch(WIDGETS, namespace, 'w', { metadata: { finalizers: [] } }, { contentType: 'merge' });

    await eventually(() => expect(operator.told.at(-1)?.type).to.equal(Deleted));
    expect(operator.deleted).to.deep.equal(['w']);
  });

  it('hears of what was there before it started, and registers its kind only once', async () => {
    const first = widgetOperator();
    await first.start();
    await createWidget('w', 'one');
    await createdWidget('w');
    await first.stop();

    const second = widgetOperator();
    await second.start();

    await eventually(() => expect(second.told).to.deep.equal([{ type: Added, name: 'w', foo: 'one' }]));
  });

  it('watches several kinds at once, each with its own handler', async () => {
    const told: string[] = [];
    const operator = watching(
      [
        ['', 'v1', 'configmaps'],
        ['', 'v1', 'secrets'],
        ['discovery.k8s.io', 'v1', 'endpointslices'],
      ],
      async (event, plural) => {
        told.push(`${plural} ${event.meta.kind} ${event.meta.apiVersion} ${event.meta.name}`);
      },
    );
    await operator.start();

    await createConfigMap('c', {});
    await client.request('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      body: { metadata: { name: 's' } },
    });
    await client.request('POST', `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      body: { metadata: { name: 'e' }, addressType: 'IPv4', endpoints: [], ports: [] },
    });

    await eventually(() =>
      expect([...told].sort()).to.deep.equal([
        'configmaps ConfigMap v1 c',
        'endpointslices EndpointSlice discovery.k8s.io/v1 e',
        'secrets Secret v1 s',
      ]),
    );
  });

  it('waits for a kind that is not served yet', async () => {
    const told: string[] = [];
    const operator = watching([['late.fairlead.dev', 'v1', 'latecomers']], async (event) => {
      told.push(event.meta.name);
    });
    await operator.start();

    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const schema = { openAPIV3Schema: { type: 'object' } };
    await client.request('POST', crds, {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'latecomers.late.fairlead.dev' },
        spec: {
          group: 'late.fairlead.dev',
          scope: 'Namespaced',
          names: { plural: 'latecomers', kind: 'Latecomer' },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      },
    });
    const path = `/apis/late.fairlead.dev/v1/namespaces/${namespace}/latecomers`;
    const body = { apiVersion: 'late.fairlead.dev/v1', kind: 'Latecomer', metadata: { name: 'l' } };
    await eventually(() => client.request('POST', path, { body }));
    await eventually(() => expect(told).to.deep.equal(['l']));
    await operator.stop();
    await client.request('DELETE', `${crds}/latecomers.late.fairlead.dev`);
  });

  it('hears only of what a label selector or a field selector lets through', async () => {
    const told: string[] = [];
    const operator = watching(
      [
        ['', 'v1', 'configmaps', { labelSelector: 'tier=web' }],
        ['', 'v1', 'secrets', { fieldSelector: 'metadata.name=wanted' }],
      ],
      async (event) => {
        told.push(`${event.type} ${event.meta.name}`);
      },
    );
    await operator.start();

    await createConfigMap('db', {}, { tier: 'db' });
    await createConfigMap('web', {}, { tier: 'web' });
    for (const name of ['unwanted', 'wanted']) {
      await client.request('POST', `/api/v1/namespaces/${namespace}/secrets`, {
        body: { metadata: { name } },
      });
    }
    await eventually(() => expect([...told].sort()).to.deep.equal(['ADDED wanted', 'ADDED web']));
    // An object that leaves the selection is gone for who watches it.
    await client.patch(
      CONFIG_MAPS,
      namespace,
      'web',
      { metadata: { labels: { tier: 'db' } } },
      { contentType: 'merge' },
    );

    await eventually(() => expect(told).to.include('DELETED web'));
    expect(told.length).to.equal(3);
  });

  it('calls a handler that threw again, with the latest state of the object', async () => {
    const seen: string[] = [];
    let broken = true;
    const operator = watching([['', 'v1', 'configmaps']], async (event) => {
      const value = dataOf(event);
      seen.push(`${broken ? 'failed' : 'done'} ${event.type} ${value}`);
      if (broken) throw new Error('not yet');
    });
    await operator.start();

    await createConfigMap('c', { value: 'old' });
    await eventually(() => expect(seen.length).to.be.greaterThan(2));
    await patchConfigMap('c', { value: 'new' });
    await eventually(() => expect(seen).to.include('failed ADDED new'));
    broken = false;
    await eventually(() => expect(seen.at(-1)).to.equal('done ADDED new'));
    await patchConfigMap('c', { value: 'newer' });

    await eventually(() => expect(seen.at(-1)).to.equal('done MODIFIED newer'));
    expect(seen.filter((one) => one.startsWith('done'))).to.deep.equal([
      'done ADDED new',
      'done MODIFIED newer',
    ]);
  });

  it('handles events of one object one after the other, and different objects side by side', async () => {
    const running = new Map<string, number>();
    let mostAtOnce = 0;
    let overlapped = false;
    const latest = new Map<string, string | undefined>();
    const operator = watching([['', 'v1', 'configmaps']], async (event) => {
      const { name } = event.meta;
      overlapped ||= running.has(name);
      running.set(name, 1);
      mostAtOnce = Math.max(mostAtOnce, running.size);
      await new Promise((resolve) => setTimeout(resolve, 100));
      latest.set(name, dataOf(event));
      running.delete(name);
    });
    await operator.start();

    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => createConfigMap(name, { value: '0' })));
    for (let round = 1; round <= 5; round++) {
      await Promise.all(names.map((name) => patchConfigMap(name, { value: `${round}` })));
    }

    await eventually(() => expect(names.map((name) => latest.get(name))).to.deep.equal(['5', '5', '5', '5']));
    expect(overlapped).to.equal(false);
    expect(mostAtOnce).to.be.greaterThan(1);
  });

  it('gives handlers copies: what one does to its event, no other sees', async () => {
    const seen: (string | undefined)[] = [];
    const operator = watching([['', 'v1', 'configmaps']], async (event) => {
      seen.push(dataOf(event));
      Object.assign(event.object, { data: { value: 'spoilt' } });
      if (seen.length < 3) throw new Error('once more');
    });
    await operator.start();

    await createConfigMap('c', { value: 'pure' });

    await eventually(() => expect(seen).to.deep.equal(['pure', 'pure', 'pure']));
  });

  it('may be started and stopped twice, and stopped before it was started', async () => {
    const told: string[] = [];
    const operator = watching([['', 'v1', 'configmaps']], async (event) => {
      told.push(event.meta.name);
    });

    await operator.stop();
    await Promise.all([operator.start(), operator.start()]);
    await createConfigMap('one', {});
    await eventually(() => expect(told).to.deep.equal(['one']));
    await Promise.all([operator.stop(), operator.stop()]);
    await operator.stop();
    await createConfigMap('two', {});
    await operator.start();

    await eventually(() => expect([...told].sort()).to.deep.equal(['one', 'one', 'two']));
  });

  it('lets a handler that runs finish before it stops, and calls none afterwards', async () => {
    let started = 0;
    let finished = 0;
    const operator = watching([['', 'v1', 'configmaps']], async () => {
      started++;
      await new Promise((resolve) => setTimeout(resolve, 200));
      finished++;
    });
    await operator.start();
    await createConfigMap('one', {});
    await eventually(() => expect(started).to.equal(1));

    await operator.stop();
    const whenStopped = finished;
    await createConfigMap('two', {});
    await new Promise((resolve) => setTimeout(resolve, 300));

    expect(whenStopped).to.equal(1);
    expect(started).to.equal(1);
  });

  it('names the address of a kind at the API server', async () => {
    const operator = widgetOperator();

    expect(operator.getCustomResourceApiUri('a.b', 'v1', 'cs', 'n')).to.equal(
      `${cluster.url}/apis/a.b/v1/namespaces/n/cs`,
    );
    expect(operator.getCustomResourceApiUri('', 'v1', 'nodes')).to.equal(`${cluster.url}/api/v1/nodes`);
  });

  it('goes on after a quiet time in which the base class would have ended the process', async function () {
    this.timeout(QUIET_MS + 90_000);
    const told: string[] = [];
    const operator = watching([['', 'v1', 'configmaps']], async (event) => {
      told.push(`${event.type} ${event.meta.name}`);
    });
    await operator.start();
    await createConfigMap('before', {});
    await eventually(() => expect(told).to.deep.equal(['ADDED before']));

    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    await createConfigMap('after', {});

    await eventually(() => expect(told).to.deep.equal(['ADDED before', 'ADDED after']));
  });

  it('goes on after the API server was killed and came back, and tells nothing twice', async function () {
    this.timeout(240_000);
    const own = await startControlPlane();
    const ownClient = new KubeClient(await loadConnectionConfig({ kubeconfig: own.kubeconfig }));
    try {
      namespace = await freshNamespace(own);
      const told: string[] = [];
      const operator = watching(
        [['', 'v1', 'configmaps']],
        async (event) => {
          told.push(`${event.type} ${event.meta.name} ${dataOf(event)}`);
        },
        { kubeconfig: own.kubeconfig },
      );
      const create = (name: string) =>
        ownClient.create(CONFIG_MAPS, { metadata: { name, namespace }, data: { value: '1' } });
      await operator.start();
      for (const name of ['kept', 'changed', 'deleted']) await create(name);
      await eventually(() => expect(told.length).to.equal(3));

      await own.stopApiServer('SIGKILL');
      await own.startApiServer();
      await patchConfigMap('changed', { value: '2' }, ownClient);
      await ownClient.delete(CONFIG_MAPS, namespace, 'deleted');
      await create('new');

      await eventually(() => expect(told.length).to.equal(6), 60_000);
      expect(told.slice(3).sort()).to.deep.equal(['ADDED new 1', 'DELETED deleted 1', 'MODIFIED changed 2']);
      await operator.stop();
    } finally {
      await ownClient.close();
      await own.stop();
    }
  });
});

function dataOf(event: ResourceEvent): string | undefined {
  return (event.object as { data?: { value?: string } }).data?.value ?? fooOf(event);
}
