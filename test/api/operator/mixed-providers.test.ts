import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { NODES, SERVICES } from '../../../kube/resources.ts';
import { WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const NEVER_MS = 3_600_000;
const ANNOUNCED = '192.0.2.170';
const OWN = '192.0.2.10';

describe('operator: the nodes, HAProxy and an own server at once', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let sample: SampleProcess;
  let front: WebhookFront;
  let nodes: string;
  let edge: string;
  let own: string;
  const made: string[] = [];

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    operator = await startTestOperator(await sharedCluster(), {
      agentsNamespace: fixture.namespace,
      driftIntervalMs: NEVER_MS,
    });
    await fixture.liveAgent();
    sample = await SampleProcess.start();
    front = await WebhookFront.start(sample);
    nodes = await fixture.provider();
    [edge, own] = [`edge-${fixture.id}`, `own-${fixture.id}`];
    const nodeSelector = { matchLabels: { [`test-${fixture.id}`]: 'yes' } };
    const spec = { retireSeconds: 0, targets: { drainSeconds: 0, nodeSelector } };
    await fixture.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name: edge },
      spec: { ...spec, haproxy: { interface: 'eth0' } },
    });
    await fixture.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name: own },
      spec: { ...spec, webhook: { url: front.url, parameters: { addresses: `${OWN}, 192.0.2.11` } } },
    });
    await fixture.pool([`${ANNOUNCED}-192.0.2.174`]);
    await fixture.pool(['192.0.2.175-192.0.2.179'], { providers: [edge] }, 'e');
  });
  afterEach(async () => {
    front.interfere = () => undefined;
    try {
      await fixture.clean();
    } finally {
      await operator.stop();
      await front.stop();
      await sample.remove();
    }
    for (const name of made.splice(0)) await fixture.client.delete(NODES, undefined, name);
  });

  /** The server of the webhook answers nothing until `act` is over. */
  const whileSilent = async (act: () => Promise<void>) => {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    front.interfere = async () => {
      await over;
      return undefined;
    };
    await act().finally(end);
  };
  const ask = async (value: string | null, service = 'web') =>
    await fixture.patch(SERVICES, service, {
      metadata: { annotations: { 'fairlead.dev/providers': value } },
    });
  const makeService = async (...providers: string[]) =>
    await fixture.service('web', {
      provider: '',
      annotations: { 'fairlead.dev/providers': providers.join(',') },
    });
  const untilShown = async (address: string) =>
    await fixture.until('web', (each) => addressesOf(each).join() === address, address);
  const untilSaid = async (text: string) =>
    await fixture.until('web', (each) => conditionOf(each)?.message.includes(text) ?? false, `"${text}"`);
  const loadBalancers = async () => {
    const { items } = await fixture.client.list(LOAD_BALANCERS, { namespace: fixture.namespace });
    return items.map(({ metadata }) => metadata.name).sort();
  };
  /** What the device sends traffic to. */
  const targets = () => {
    const config = sample.device[`test/${fixture.namespace}/web.${own}`]?.config ?? {};
    return config['listen 80/TCP'];
  };
  const makeNode = async (address: string) => {
    const name = `node-${fixture.id}-${made.length + 1}`;
    await fixture.client.create(NODES, { metadata: { name, labels: { [`test-${fixture.id}`]: 'yes' } } });
    made.push(name);
    const status = { addresses: [{ type: 'InternalIP', address }] };
    const how = { contentType: 'merge', subresource: 'status' } as const;
    await fixture.client.patch(NODES, undefined, name, { status }, how);
  };
  const untilTargets = async (...addresses: string[]) =>
    await waitFor(
      async () => targets() ?? '',
      (text) =>
        addresses.every((each) => text.includes(`${each}:`)) && text.split(', ').length === addresses.length,
      `targets ${addresses.join()}`,
    );

  it('serve one Service, whichever of them fails, and say of each that does', async () => {
    // No edge reports: HAProxy has nothing to show.
    await makeService(edge, own, nodes);
    await untilShown(OWN);
    await fixture.untilReason('web', 'NoEdge');
    // Of the nodes once their agent is seen, which may be a turn later.
    for (const text of [`${edge}: `, ANNOUNCED, OWN]) await untilSaid(text);

    await sample.kill();
    try {
      await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 8080 }] } });
      await untilSaid(`${own}: Provider "${own}" failed`);
      await untilShown(OWN);
      const { spec } = await fixture.untilLoadBalancer(
        'web',
        (each) => each.spec.frontends?.[0]?.port === 8080,
        'changed at the nodes',
        nodes,
      );
      expect(spec.addresses?.map(({ address }) => address)).to.deep.equal([ANNOUNCED]);
    } finally {
      await sample.start();
    }
  });

  it('are changed at once while one that was asked for before them does not answer', async () => {
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, { spec: { webhook: { timeoutSeconds: 60 } } });
    await makeService(own, nodes);
    await untilShown(OWN);
    await fixture.untilReason('web', 'Ready');
    await whileSilent(async () => {
      await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 8080 }] } });
      await fixture.untilLoadBalancer(
        'web',
        (each) => each.spec.frontends?.[0]?.port === 8080,
        'changed at the nodes',
        nodes,
      );
    });
    await fixture.untilReason('web', 'Ready');
    await untilShown(OWN);
  });

  it('let a Service go to another one while they do not answer', async () => {
    await makeNode('10.1.0.1');
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, {
      spec: { retireSeconds: 3600, webhook: { timeoutSeconds: 60 } },
    });
    await makeService(own);
    await untilShown(OWN);
    // What it doesn't know yet is asked of it with the move, and not before.
    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/paused': 'true' } } });
    await fixture.untilReason('web', 'Paused');
    await makeNode('10.1.0.2');
    await whileSilent(async () => {
      await fixture.patch(SERVICES, 'web', {
        metadata: { annotations: { 'fairlead.dev/paused': null, 'fairlead.dev/providers': nodes } },
      });
      await untilShown(ANNOUNCED);
    });
    await untilTargets('10.1.0.1', '10.1.0.2');
  });

  it('say what is against keeping up what a Service leaves, until nothing is', async () => {
    await makeNode('10.1.0.1');
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, {
      spec: { retireSeconds: 3600, webhook: { retries: 0 } },
    });
    await makeService(own);
    await untilShown(OWN);
    await ask(nodes);
    await untilShown(ANNOUNCED);
    front.interfere = () => ({ status: 500, body: 'Oops' });
    await makeNode('10.1.0.2');
    const said = await untilSaid(`Load balancer web.${own} can't be kept up at provider "${own}"`);
    expect(conditionOf(said)?.status).to.equal('True');
    front.interfere = () => undefined;
    await untilTargets('10.1.0.1', '10.1.0.2');
    await fixture.until(
      'web',
      (each) => !(conditionOf(each)?.message.includes("can't be kept up") ?? true),
      'nothing against it',
    );
  });

  it('end as the last of many edits says, with nothing left anywhere', async () => {
    await makeService(nodes);
    const edits = [own, `${edge},${own}`, `${nodes},${own}`, edge, `${own},${nodes},${edge}`, nodes, own];
    for (const [index, value] of [...edits, ...edits].entries()) {
      await ask(value);
      if (index % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await untilShown(OWN);
    await waitFor(loadBalancers, (names) => names.join() === `web.${own}`, 'one LoadBalancer');
    await fixture.untilReason('web', 'Ready');

    await ask(nodes);
    await untilShown(ANNOUNCED);
    await waitFor(loadBalancers, (names) => names.join() === `web.${nodes}`, 'one LoadBalancer');
    expect(sample.device).to.deep.equal({});
  });

  it('follow nodes while the Service leaves them for one that does not serve, or says what nobody understands', async () => {
    await makeNode('10.1.0.1');
    await makeService(own);
    await untilShown(OWN);
    await untilTargets('10.1.0.1');

    await ask(edge);
    await fixture.untilReason('web', 'NoEdge');
    await makeNode('10.1.0.2');
    await untilTargets('10.1.0.1', '10.1.0.2');
    await untilShown(OWN);

    await ask('What?');
    await fixture.untilReason('web', 'InvalidAnnotation');
    await makeNode('10.1.0.3');
    await untilTargets('10.1.0.1', '10.1.0.2', '10.1.0.3');

    await ask(own);
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, {
      spec: { tenants: { namespaceSelector: { matchLabels: { nobody: 'at-all' } } } },
    });
    await fixture.untilReason('web', 'NamespaceNotAllowed');
    await makeNode('10.1.0.4');
    await untilTargets('10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4');
    await untilShown(OWN);
  });

  it('say what is left at a provider that was deleted while it was left, and take it away once it is there again', async () => {
    await makeService(own, nodes);
    await untilShown(OWN);
    const { spec } = await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, own);
    await fixture.client.delete(LOAD_BALANCER_PROVIDERS, undefined, own);
    await fixture.untilReason('web', 'ProviderNotFound');
    await untilShown(OWN);

    await ask(nodes);
    await untilShown(ANNOUNCED);
    await untilSaid(`web.${own} isn't asked for any more`);
    await fixture.make(LOAD_BALANCER_PROVIDERS, { metadata: { name: own }, spec });
    await fixture.untilGone(LOAD_BALANCERS, `web.${own}`);
    await fixture.untilReason('web', 'Ready');
    expect(sample.device).to.deep.equal({});
  });

  it('keep a Service at what serves while the next refuses its configuration', async () => {
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, {
      spec: { webhook: { parameters: { addresses: null } } },
    });
    await makeService(nodes);
    await untilShown(ANNOUNCED);
    await ask(own);
    await untilSaid('names no address');
    await untilShown(ANNOUNCED);
    await fixture.patch(LOAD_BALANCER_PROVIDERS, own, {
      spec: { webhook: { parameters: { addresses: OWN } } },
    });
    await untilShown(OWN);
    await fixture.untilGone(LOAD_BALANCERS, `web.${nodes}`);
  });
});
