import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { ENDPOINT_SLICES, NODES, SERVICES } from '../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { installCrds } from '../../controlplane/install-crds.ts';
import { eventually } from '../../support/eventually.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { unserved } from '../support/judge-outcomes.ts';
import { run } from '../support/run.ts';
import {
  createWeb,
  makeSingleNode,
  removeSingleNode,
  type SingleNode,
  sliceOf,
} from '../support/single-node.ts';
import { Station } from '../support/station.ts';

const NETNS = 'whole-agent';
const HOST = '10.88.0.1';
const NODE_ADDRESS = '10.88.0.2';
const POD_ADDRESS = '10.244.9.1';
const NODE: SingleNode = { netns: NETNS, host: HOST, address: NODE_ADDRESS, pod: POD_ADDRESS };
const CLUSTER_IP = '10.96.0.77';
const HEALTH = `http://${NODE_ADDRESS}:10256`;
const METRICS = `${NODE_ADDRESS}:10249`;
const CONFIG = fileURLToPath(new URL('../../../config/', import.meta.url));

describe('the whole agent, with a real API server and the rights that it is given', function () {
  this.timeout(150_000);
  let plane: ControlPlane;
  let client: KubeClient;
  let station: Station;
  let kubeconfig: string;
  let agent: AgentProcess;

  const start = async () => {
    agent = new AgentProcess(
      NETNS,
      [
        '--kubeconfig',
        kubeconfig,
        '--audit-seconds',
        '1',
        '--external-ips',
        '*=203.0.113.0/24',
        '--serve',
        'All',
        '--metrics-address',
        METRICS,
      ],
      {
        FAIRLEAD_NODE_NAME: 'node-a',
        FAIRLEAD_CLUSTER_CIDR: '10.244.0.0/16',
      },
    );
    await agent.says('Programmed');
  };
  const dial = (port = 80, timeoutMs = 5_000) => station.dial('tcp', CLUSTER_IP, port, timeoutMs);
  const leadTo = (port: number) =>
    client.patch(
      ENDPOINT_SLICES,
      'default',
      'web-1',
      { ports: [{ name: 'http', protocol: 'TCP', port }] },
      { contentType: 'merge' },
    );

  before(async function () {
    this.timeout(180_000);
    await makeSingleNode(NODE);
    station = await Station.start(NETNS);
    await station.listen('tcp', 8080);
    await station.listen('tcp', 8081);
    plane = await startControlPlane({ address: HOST });
    client = plane.adminClient();
    await installCrds(client);
    await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
    await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
    kubeconfig = await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent');
    await createWeb(client, NODE, CLUSTER_IP);
    await start();
  });

  after(async () => {
    await agent?.end('SIGKILL');
    station?.stop();
    await plane?.stop();
    await removeSingleNode(NODE);
  });

  it('serves a Service, and follows its endpoints', async () => {
    expect(await dial()).to.include({ result: 'served', at: 8080 });

    await leadTo(8081);
    await eventually(async () => expect(await dial()).to.include({ at: 8081 }));

    await client.patch(ENDPOINT_SLICES, 'default', 'web-1', { endpoints: [] }, { contentType: 'merge' });
    await eventually(async () => expect((await dial()).result).to.equal('refused'));

    await client.patch(
      ENDPOINT_SLICES,
      'default',
      'web-1',
      { endpoints: [{ addresses: [POD_ADDRESS] }] },
      { contentType: 'merge' },
    );
    await eventually(async () => expect((await dial()).result).to.equal('served'));
  });

  it('serves a Service that comes later, and drops its address when it goes', async () => {
    expect((await station.dial('tcp', '10.96.0.78', 80, 300)).result).to.equal('timeout');
    await client.create(SERVICES, {
      metadata: { name: 'late', namespace: 'default' },
      spec: { clusterIP: '10.96.0.78', ports: [{ port: 80 }] },
    });
    await client.create(ENDPOINT_SLICES, sliceOf('late', '', POD_ADDRESS));
    await eventually(async () =>
      expect((await station.dial('tcp', '10.96.0.78', 80)).result).to.equal('served'),
    );

    await client.delete(SERVICES, 'default', 'late');
    await eventually(async () =>
      expect((await station.dial('tcp', '10.96.0.78', 80, 300)).result).to.equal('timeout'),
    );
  });

  it('reports what it does in the NodeForwarder of its node, which goes with the Node', async () => {
    await eventually(async () => {
      const report = await client.get(NODE_FORWARDERS, undefined, 'node-a');
      expect(report.spec.nodeName).to.equal('node-a');
      expect(report.metadata.ownerReferences?.[0]).to.include({ kind: 'Node', name: 'node-a' });
      expect(report.status).to.include({ mode: 'All' });
      expect(report.status?.services).to.be.greaterThan(0);
      expect(findCondition(report.status?.conditions, 'Ready')?.status).to.equal('True');
    });
  });

  interface EventList {
    items: { reason: string; note: string; regarding: { name: string } }[];
  }
  const notesTo = async (service: string, reason: string) => {
    const path = '/apis/events.k8s.io/v1/namespaces/default/events';
    const { items } = await client.request<EventList>('GET', path);
    return items
      .filter((event) => event.reason === reason && event.regarding.name === service)
      .map(({ note }) => note);
  };

  it('names Services that claim one address and port, gives it to the older, and says so', async () => {
    const spec = { ports: [{ name: 'http', port: 80 }], externalIPs: ['203.0.113.80'] };
    await client.patch(
      SERVICES,
      'default',
      'web',
      { spec: { externalIPs: spec.externalIPs } },
      { contentType: 'merge' },
    );
    await client.create(SERVICES, { metadata: { name: 'rival', namespace: 'default' }, spec });

    await eventually(async () => {
      const { status } = await client.get(NODE_FORWARDERS, undefined, 'node-a');
      const condition = findCondition(status?.conditions, 'FrontendsUnique');
      expect(condition).to.include({ status: 'False', reason: 'ClaimedTwice' });
      expect(condition?.message).to.include(
        '203.0.113.80 . tcp . 80 is of default/web, not of default/rival',
      );
    });
    await eventually(async () =>
      expect((await station.dial('tcp', '203.0.113.80', 80)).result).to.equal('served'),
    );
    await eventually(async () =>
      expect(await notesTo('rival', 'FrontendClaimed')).to.deep.equal([
        "The older Service default/web has 203.0.113.80 port 80 (TCP); this one isn't served there.",
      ]),
    );

    // What it had of its own it has still: nothing changes in the kernel.
    await client.patch(SERVICES, 'default', 'rival', { spec: { externalIPs: [] } }, { contentType: 'merge' });
    await eventually(async () => {
      const { status } = await client.get(NODE_FORWARDERS, undefined, 'node-a');
      expect(findCondition(status?.conditions, 'FrontendsUnique')?.status).to.equal('True');
    });
    await client.delete(SERVICES, 'default', 'rival');
  });

  it('serves no external address that no rule allows, and tells the Service', async () => {
    const spec = { ports: [{ name: 'http', port: 80 }], externalIPs: ['198.51.100.80'] };
    await client.create(SERVICES, { metadata: { name: 'grabber', namespace: 'default' }, spec });

    await eventually(async () =>
      expect((await notesTo('grabber', 'ExternalIPNotAllowed')).join()).to.match(
        /198\.51\.100\.80.*not served.*--external-ips default=/,
      ),
    );
    expect(await run('ip', 'netns', 'exec', NETNS, 'nft', 'list', 'table', 'ip', 'fairlead')).to.not.include(
      '198.51.100.80',
    );
    await client.delete(SERVICES, 'default', 'grabber');
  });

  it('leaves a Service out that is too much for every node, names it at once, and serves the others', async () => {
    const ports = Array.from({ length: 100 }, (_, index) => ({ name: `p${index}`, port: 1_000 + index }));
    const spec = { ports, sessionAffinity: 'ClientIP' as const };
    await client.create(SERVICES, { metadata: { name: 'huge', namespace: 'default' }, spec });
    await client.create(ENDPOINT_SLICES, {
      ...sliceOf('huge', 'p0', POD_ADDRESS),
      ports: ports.map(({ name }) => ({ name, protocol: 'TCP' as const, port: 8080 })),
      endpoints: Array.from({ length: 401 }, (_, index) => ({
        addresses: [`10.244.${10 + (index >> 8)}.${index & 255}`],
      })),
    });

    await eventually(async () => {
      const { status } = await client.get(NODE_FORWARDERS, undefined, 'node-a');
      const condition = findCondition(status?.conditions, 'ServicesComplete');
      expect(condition).to.include({ status: 'False', reason: 'ServicesLeftOut' });
      expect(condition?.message).to.include('default/huge');
    });
    await eventually(async () =>
      expect((await notesTo('huge', 'ForwardingRefused')).join()).to.match(/^node-a can't forward it: /),
    );
    expect((await dial()).result).to.equal('served');

    await client.delete(SERVICES, 'default', 'huge');
    await client.delete(ENDPOINT_SLICES, 'default', 'huge-1');
    await eventually(async () => {
      const { status } = await client.get(NODE_FORWARDERS, undefined, 'node-a');
      expect(findCondition(status?.conditions, 'ServicesComplete')?.status).to.equal('True');
    });
  });

  it('is killed and started again without one failed connection', async () => {
    const outcomes = await station.dialWhile(
      { transport: 'tcp', address: CLUSTER_IP, port: 80 },
      10,
      async () => {
        for (let restart = 0; restart < 3; restart++) {
          await agent.end('SIGKILL');
          await start();
        }
      },
    );

    expect(unserved(outcomes)).to.deep.equal([]);
    expect(outcomes.length).to.be.greaterThan(50);
  });

  it('answers for its health and its node, and counts', async () => {
    const health = await fetch(`${HEALTH}/healthz`);
    expect(health.status).to.equal(200);
    expect(await health.json())
      .to.include({ healthy: true, nodeEligible: true })
      .and.to.have.property('lastUpdated');
    const metrics = await (await fetch(`http://${METRICS}/metrics`)).text();
    expect(metrics).to.match(/^fairlead_agent_services [1-9]/m);
    expect(metrics).to.match(/^fairlead_agent_transaction_duration_seconds_count [1-9]/m);

    const taints = [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }];
    await client.patch(NODES, undefined, 'node-a', { spec: { taints } }, { contentType: 'merge' });
    await eventually(async () => expect((await fetch(`${HEALTH}/healthz`)).status).to.equal(503));
    expect((await fetch(`${HEALTH}/livez`)).status).to.equal(200);
    await client.patch(NODES, undefined, 'node-a', { spec: { taints: [] } }, { contentType: 'merge' });
  });

  it('serves on while the API server is away, writes nothing when started then, and catches up', async () => {
    await plane.stopApiServer('SIGKILL');
    expect((await dial()).result).to.equal('served');
    await agent.end('SIGKILL');
    const before = await rules();
    agent = new AgentProcess(NETNS, [
      '--kubeconfig',
      kubeconfig,
      '--node-name',
      'node-a',
      '--cluster-cidr',
      '10.244.0.0/16',
      '--serve',
      'All',
    ]);
    await agent.says('WatchInterrupted');
    expect(await rules()).to.equal(before);
    await eventually(async () => expect((await fetch(`${HEALTH}/healthz`)).status).to.equal(503));

    await plane.startApiServer();
    await leadTo(8080);
    await agent.says('Programmed', 45_000);

    // It may have listed what was there before the change, which then comes by its watch.
    await eventually(async () => expect(await dial()).to.include({ result: 'served', at: 8080 }));
  });

  it('leaves the rules when it is told to stop, and takes them away when it is told to clean up', async () => {
    expect(await agent.end('SIGTERM')).to.equal(0);
    expect((await dial()).result).to.equal('served');

    await start();
    await agent.end('SIGKILL');
    const cleanup = new AgentProcess(NETNS, ['cleanup']);
    expect(await cleanup.end()).to.equal(0);

    expect(await rules()).to.equal('');
  });

  const rules = () => run('ip', 'netns', 'exec', NETNS, 'nft', 'list', 'ruleset');
});
