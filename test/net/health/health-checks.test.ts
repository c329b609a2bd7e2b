import { expect } from 'chai';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { EVENTS, SERVICES } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { Station } from '../support/station.ts';
import { AGENT, type HealthLab, ORACLE, OTHER } from './support/health-lab.ts';
import { ask } from './support/http-ask.ts';
import { localService, type Pods, removeService, setPods } from './support/local-service.ts';
import { sharedLab } from './support/shared-lab.ts';

const PORT = 31_090;
const NODE_PORT = 31_080;

describe('health checks of Services, beside those of real kube-proxy', function () {
  this.timeout(120_000);
  let lab: HealthLab;

  const web = async (change: object) =>
    lab.client.patch(SERVICES, 'default', 'web', change, { contentType: 'merge' });
  const codeOf = async (host: string, port: number) => {
    const error: unknown = await ask(host, port).then(
      () => undefined,
      (each: unknown) => each,
    );
    return error instanceof Error && 'code' in error ? error.code : 'answered';
  };

  /** From the node itself. A health check says nothing before it is asked: it is there when it takes the connection. */
  const connects = async (host: string) => {
    const outcome = await lab.stations.get(AGENT.name)?.dial('tcp', host, PORT, 500);
    return outcome?.result === 'refused' ? 'refused' : 'served';
  };

  before(async function () {
    this.timeout(180_000);
    lab = await sharedLab();
    await lab.client.create(
      SERVICES,
      localService('web', {
        healthCheckNodePort: PORT,
        ports: [
          { name: 'http', port: 80, nodePort: NODE_PORT },
          { name: 'more', port: 81 },
        ],
      }),
    );
  });

  after(async () => {
    for (const name of ['web', 'blocked']) await removeService(lab.client, name);
  });

  const states: [string, Pods, Pods, { ip: number; ip6: number }][] = [
    ['no pods', {}, {}, { ip: 0, ip6: 0 }],
    ['one pod with two ports', { first: 'ready' }, { first: 'ready' }, { ip: 1, ip6: 1 }],
    ['two pods', { first: 'ready', second: 'ready' }, { first: 'ready', second: 'ready' }, { ip: 2, ip6: 2 }],
    ['pods of one family', { first: 'ready', second: 'ready' }, {}, { ip: 2, ip6: 0 }],
    ['a pod that ends and one that is new', { first: 'terminating', second: 'ready' }, {}, { ip: 1, ip6: 0 }],
    ['a pod that starts', { first: 'starting' }, { first: 'starting' }, { ip: 0, ip6: 0 }],
    ['only a pod that ends', { first: 'terminating' }, { first: 'ready' }, { ip: 0, ip6: 1 }],
  ];
  for (const [name, pods, pods6, expected] of states) {
    it(`are answered as kube-proxy does with ${name}`, async () => {
      await setPods(lab.client, 'web', pods, pods6);

      for (const [family, own, oracle] of [
        ['ip', AGENT.address, ORACLE.address],
        ['ip6', AGENT.address6, ORACLE.address6],
      ] as const) {
        const count = expected[family];
        for (const host of [own, oracle]) {
          await eventually(async () =>
            expect((await ask(host, PORT)).headers).to.include(`X-Load-Balancing-Endpoint-Weight: ${count}`),
          );
        }
        const answer = await ask(own, PORT);
        expect(answer).to.deep.equal(await ask(oracle, PORT));
        expect(answer.status).to.equal(count > 0 ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 503 Service Unavailable');
      }
    });
  }

  it('do not keep a node from serving while its last pod ends', async () => {
    await setPods(lab.client, 'web', { first: 'terminating' });
    await eventually(async () => expect((await ask(AGENT.address, PORT)).status).to.include('503'));

    const station = lab.stations.get(OTHER.name);
    await eventually(async () =>
      expect(await station?.dial('tcp', AGENT.address, NODE_PORT)).to.include({ result: 'served' }),
    );
  });

  for (const request of ['GET /any/path?x=1 HTTP/1.1', 'HEAD / HTTP/1.1', 'DELETE /healthz HTTP/1.1']) {
    it(`are answered as kube-proxy does when asked ${request}`, async () => {
      await setPods(lab.client, 'web', { first: 'ready' });
      for (const host of [AGENT.address, ORACLE.address]) {
        await eventually(async () => expect((await ask(host, PORT)).status).to.include('200'));
      }
      expect(await ask(AGENT.address, PORT, request)).to.deep.equal(await ask(ORACLE.address, PORT, request));
    });
  }

  it('of a node without pods say so', async () => {
    expect(JSON.parse((await ask(OTHER.address, PORT)).body)).to.deep.equal({
      service: { namespace: 'default', name: 'web' },
      localEndpoints: 0,
      serviceProxyHealthy: true,
    });
  });

  it('end with policy Local, and begin again with it', async () => {
    await web({ spec: { externalTrafficPolicy: 'Cluster', healthCheckNodePort: null } });
    await eventually(async () => expect(await codeOf(AGENT.address, PORT)).to.equal('ECONNREFUSED'));
    await eventually(async () => expect(await codeOf(AGENT.address6, PORT)).to.equal('ECONNREFUSED'));

    await web({ spec: { externalTrafficPolicy: 'Local', healthCheckNodePort: PORT } });
    await eventually(async () => expect((await ask(AGENT.address, PORT)).status).to.include('200'));
  });

  it('move with their port, and end with another proxy and with the Service', async () => {
    await lab.client.create(SERVICES, localService('gone', { healthCheckNodePort: PORT + 1 }));
    await eventually(async () => expect(await codeOf(AGENT.address, PORT + 1)).to.equal('answered'));

    const label = 'service.kubernetes.io/service-proxy-name';
    const relabel = (value: string | null) =>
      lab.client.patch(
        SERVICES,
        'default',
        'gone',
        { metadata: { labels: { [label]: value } } },
        { contentType: 'merge' },
      );
    await relabel('other');
    await eventually(async () => expect(await codeOf(AGENT.address, PORT + 1)).to.equal('ECONNREFUSED'));
    await relabel(null);
    await eventually(async () => expect(await codeOf(AGENT.address, PORT + 1)).to.equal('answered'));
    await lab.client.delete(SERVICES, 'default', 'gone');
    await eventually(async () => expect(await codeOf(AGENT.address, PORT + 1)).to.equal('ECONNREFUSED'));

    expect(await codeOf(AGENT.address, PORT)).to.equal('answered');
  });

  it('are answered at each address of the node when node ports are', async () => {
    await lab.stopAgent(AGENT);
    await lab.startAgent(AGENT, ['--nodeport-addresses', '0.0.0.0/0,::/0']);
    for (const host of ['127.0.0.1', '::1', AGENT.address, AGENT.address6]) {
      await eventually(async () => expect(await connects(host)).to.equal('served'));
    }

    await lab.stopAgent(AGENT);
    await lab.startAgent(AGENT);
    await eventually(async () => expect(await connects(AGENT.address)).to.equal('served'));
    expect(await connects('127.0.0.1')).to.equal('refused');
    expect(await connects('::1')).to.equal('refused');
  });

  it('whose port is taken are told on the Service and the node, and begin when it is free', async () => {
    const blocked = PORT + 2;
    const blocker = await Station.start(OTHER.name);
    await blocker.listen('tcp', blocked);
    await lab.client.create(SERVICES, localService('blocked', { healthCheckNodePort: blocked }));

    await eventually(async () => {
      const { items } = await lab.client.list(EVENTS, { namespace: 'default' });
      const event = items.find((each) => JSON.stringify(each).includes('FailedToStartServiceHealthcheck'));
      expect(event).to.deep.include({ type: 'Warning', action: 'Listen' });
      expect(JSON.stringify(event)).to.include(
        'failed to start healthcheck \\"default/blocked\\" on port 31092',
      );
    });
    await eventually(async () => {
      const { status } = await lab.client.get(NODE_FORWARDERS, undefined, OTHER.name);
      const condition = findCondition(status?.conditions, 'PortsOpen');
      expect(condition).to.include({ status: 'False', reason: 'ListenFailed' });
      expect(condition?.message).to.include('health check of default/blocked at');
    });
    await eventually(async () => expect(await codeOf(AGENT.address, blocked)).to.equal('answered'));

    blocker.stop();
    await eventually(async () =>
      expect((await ask(OTHER.address, blocked)).headers).to.include('X-Load-Balancing-Endpoint-Weight: 0'),
    );
    await eventually(async () => {
      const { status } = await lab.client.get(NODE_FORWARDERS, undefined, OTHER.name);
      expect(findCondition(status?.conditions, 'PortsOpen')?.status).to.equal('True');
    });
  });
});
