import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { KubeClient } from '../../../kube/client.ts';
import { loadConnectionConfig } from '../../../kube/config.ts';
import { ENDPOINT_SLICES } from '../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { installCrds } from '../../controlplane/install-crds.ts';
import { writeKubeconfig } from '../../controlplane/kubeconfig.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { unserved } from '../support/judge-outcomes.ts';
import { run } from '../support/run.ts';
import { createWeb, makeSingleNode, removeSingleNode, type SingleNode } from '../support/single-node.ts';
import { Station } from '../support/station.ts';
import { ApiRelay, type RelayMode } from './support/api-relay.ts';

const NETNS = 'api-gone';
const HOST = '10.86.0.1';
const NODE_ADDRESS = '10.86.0.2';
const NODE: SingleNode = { netns: NETNS, host: HOST, address: NODE_ADDRESS, pod: '10.244.8.1' };
const CLUSTER_IP = '10.96.0.87';
const CONFIG = fileURLToPath(new URL('../../../config/', import.meta.url));
const HEALTH = `http://${NODE_ADDRESS}:10256/healthz`;

/** The agent as a process, and between it and a real API server what can go wrong there. */
describe('agent whose API server is in trouble', function () {
  this.timeout(120_000);
  let plane: ControlPlane;
  let client: KubeClient;
  let relay: ApiRelay;
  let station: Station;
  let agent: AgentProcess;
  let args: string[];

  const rules = () => run('ip', 'netns', 'exec', NETNS, 'nft', 'list', 'ruleset');
  const startAgent = () => new AgentProcess(NETNS, args);
  const leadTo = (port: number) =>
    client.patch(
      ENDPOINT_SLICES,
      'default',
      'web-1',
      { ports: [{ name: 'http', protocol: 'TCP', port }] },
      { contentType: 'merge' },
    );
  const servedAt = async () => {
    const outcome = await station.dial('tcp', CLUSTER_IP, 80, 2_000);
    return outcome.result === 'served' ? outcome.at : outcome.result;
  };
  /** Dials all the time while `work` runs; returns those that weren't served. */
  const dialWhile = async (work: () => Promise<void>) =>
    unserved(await station.dialWhile({ transport: 'tcp', address: CLUSTER_IP, port: 80 }, 20, work));

  before(async () => {
    await makeSingleNode(NODE);
    station = await Station.start(NETNS);
    await station.listen('tcp', 8080);
    await station.listen('tcp', 8081);
    plane = await startControlPlane({ address: HOST });
    client = plane.adminClient();
    await installCrds(client);
    const connection = await loadConnectionConfig({ kubeconfig: plane.kubeconfig });
    relay = await ApiRelay.start(HOST, connection);
    args = [
      ...['--kubeconfig', await relayedKubeconfig(plane, relay, connection.ca ?? '')],
      ...['--node-name', 'node-a', '--cluster-cidr', '10.244.0.0/16', '--serve', 'All'],
      ...['--audit-seconds', '1'],
    ];
    await createWeb(client, NODE, CLUSTER_IP);
  });

  beforeEach(async () => {
    relay.become('passing');
    await leadTo(8080);
    agent = startAgent();
    await agent.says('Programmed', 60_000);
    await untilFound(servedAt, 8080);
  });

  afterEach(async () => {
    await agent.end('SIGKILL');
  });

  after(async () => {
    station?.stop();
    await relay?.stop();
    await plane?.stop();
    await removeSingleNode(NODE);
  });

  for (const mode of ['silent', 'failing'] satisfies RelayMode[]) {
    it(`serves on, and changes nothing, while it is ${mode}; then catches up`, async () => {
      const before = await rules();
      const lost = await dialWhile(async () => {
        relay.become(mode);
        await leadTo(8081);
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        expect(await rules()).to.equal(before);
        expect((await fetch(HEALTH)).status).to.equal(200);
        relay.become('passing');
        await untilFound(servedAt, 8081);
      });
      expect(lost).to.deep.equal([]);
    });

    it(`writes nothing when it is started while that is ${mode}, and serves as before`, async () => {
      const before = await rules();
      await agent.end('SIGKILL');
      relay.become(mode);
      const lost = await dialWhile(async () => {
        agent = startAgent();
        const deadline = Date.now() + 60_000;
        while (relay.requests < 3 && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        expect(await rules()).to.equal(before);
        expect((await fetch(HEALTH)).status).to.equal(503);
        relay.become('passing');
        await agent.says('Programmed', 60_000);
      });
      expect(lost).to.deep.equal([]);
    });
  }

  it('writes nothing when it is started while only some kinds can be listed', async () => {
    const before = await rules();
    await agent.end('SIGKILL');
    await plane.kubectl(['delete', 'crd', 'loadbalancers.fairlead.dev']);
    const lost = await dialWhile(async () => {
      agent = startAgent();
      await agent.says('WatchInterrupted', 60_000).catch(() => agent.says('WatchRejected'));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await rules()).to.equal(before);
      await installCrds(client);
      await agent.says('Programmed', 60_000);
    });
    expect(lost).to.deep.equal([]);
  });

  it('obeys one that knows nothing any more, as it obeys any that answers; and one that knows it all again', async () => {
    relay.become('emptied');
    await untilFound(servedAt, 'timeout');

    relay.become('passing');
    await untilFound(servedAt, 8080);
  });
});

/** With the rights that the agent is given. */
async function relayedKubeconfig(plane: ControlPlane, relay: ApiRelay, ca: string): Promise<string> {
  await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
  await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
  const own = await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent');
  const { token } = await loadConnectionConfig({ kubeconfig: own });
  const tokenFile = `${plane.dir}/relayed.token`;
  await writeFile(tokenFile, (await token?.()) ?? '', { mode: 0o600 });
  return writeKubeconfig(`${plane.dir}/relayed.kubeconfig`, { server: relay.url, ca, user: { tokenFile } });
}

/** Waits until that is what comes out. */
async function untilFound<T>(find: () => Promise<T>, expected: T, timeoutMs = 45_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let found = await find();
  while (found !== expected && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = await find();
  }
  expect(found).to.equal(expected);
}
