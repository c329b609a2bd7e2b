import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadConnectionConfig } from '../../kube/config.ts';
import { ENDPOINT_SLICES } from '../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { writeKubeconfig } from '../controlplane/kubeconfig.ts';
import { ApiRelay, type RelayMode } from '../net/robustness/support/api-relay.ts';
import { FairleadProcess } from '../net/support/fairlead-process.ts';
import { unserved } from '../net/support/judge-outcomes.ts';
import { KubeProxyProcess } from '../net/support/kube-proxy-process.ts';
import type { ProxyOptions, ProxyProcess } from '../net/support/proxy-process.ts';
import { run } from '../net/support/run.ts';
import { createWeb, makeSingleNode, removeSingleNode, type SingleNode } from '../net/support/single-node.ts';
import { Station } from '../net/support/station.ts';
import { eventually, sleep } from '../support/eventually.ts';

const CONFIG = fileURLToPath(new URL('../../config/', import.meta.url));
const FAST_TIME = new URL('support/fast-time.ts', import.meta.url);
const CLUSTER_IP = '10.96.0.86';
const POD = '10.244.8.1';
/** A minute here is an hour there. */
const FACTOR = 60;
/** One after the other, in each of which an API server may be gone: a minute in all. */
const OUTAGE: readonly (readonly [RelayMode, number])[] = [
  ['gone', 20_000],
  ['silent', 20_000],
  ['failing', 10_000],
  ['unauthorized', 12_000],
];

interface Watched {
  name: string;
  node: SingleNode;
  proxy: ProxyProcess;
  station: Station;
}

/** Three nodes with one API server, behind one relay: an agent, one whose time goes faster, and kube-proxy. */
describe('the API server gone for a minute, and for an hour', function () {
  this.timeout(240_000);
  let plane: ControlPlane;
  let relay: ApiRelay;
  const watched: Watched[] = [];

  const nodeOf = (name: string, index: number): SingleNode => ({
    netns: name,
    host: `10.85.${index}.1`,
    address: `10.85.${index}.2`,
    pod: POD,
  });
  const nodes = ['gone-minute', 'gone-hour', 'gone-kube-proxy'].map((name, index) => nodeOf(name, index));

  before(async () => {
    const [minute, hour, other] = nodes;
    if (minute === undefined || hour === undefined || other === undefined) throw new Error('three nodes');
    for (const node of nodes) await makeSingleNode(node);
    plane = await startControlPlane({ address: minute.host });
    await installCrds(plane.adminClient());
    for (const part of ['namespace', 'rbac']) await plane.kubectl(['apply', '-k', `${CONFIG}${part}`]);
    // client-go sends no token where there is no TLS: behind the relay kube-proxy is nobody.
    await plane.kubectl([
      ...['create', 'clusterrolebinding', 'kube-proxy'],
      ...['--clusterrole=system:node-proxier', '--user=system:anonymous'],
    ]);
    const connection = await loadConnectionConfig({ kubeconfig: plane.kubeconfig });
    relay = await ApiRelay.start(minute.host, connection);
    await createWeb(plane.adminClient(), minute, CLUSTER_IP);
    const kubeconfig = await relayedKubeconfig();
    const optionsOf = ({ netns, address }: SingleNode): ProxyOptions => ({
      netns,
      address,
      nodeName: 'node-a',
      kubeconfig,
      clusterCidrs: ['10.244.0.0/16'],
      nodePortAddresses: 'primary',
      dir: plane.dir,
    });
    const fast = { FAST_TIME: String(FACTOR), NODE_OPTIONS: `--import=${FAST_TIME.href}` };
    const proxies: [SingleNode, ProxyProcess][] = [
      [minute, new FairleadProcess(optionsOf(minute))],
      [hour, new FairleadProcess({ ...optionsOf(hour), env: fast })],
      [other, new KubeProxyProcess(optionsOf(other))],
    ];
    for (const [node, proxy] of proxies) {
      const station = await Station.start(node.netns);
      for (const port of [8080, 8081]) await station.listen('tcp', port);
      watched.push({ name: node.netns, node, proxy, station });
    }
    await Promise.all(watched.map(({ proxy }) => proxy.start()));
  });

  after(async () => {
    for (const { proxy, station } of watched) {
      await proxy.kill();
      station.stop();
    }
    await relay?.stop();
    await plane?.stop();
    for (const node of nodes) await removeSingleNode(node);
  });

  async function relayedKubeconfig(): Promise<string> {
    const own = await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent');
    const { token, ca = '' } = await loadConnectionConfig({ kubeconfig: own });
    const tokenFile = join(plane.dir, 'relayed.token');
    await writeFile(tokenFile, (await token?.()) ?? '', { mode: 0o600 });
    const file = join(plane.dir, 'relayed.kubeconfig');
    return await writeKubeconfig(file, { server: relay.url, ca, user: { tokenFile } });
  }

  const rulesOf = async ({ netns }: SingleNode) =>
    (await run('ip', 'netns', 'exec', netns, 'nft', '-s', 'list', 'ruleset')).split('\n').sort().join('\n');
  const healthOf = async ({ address }: SingleNode) => {
    const answer = await fetch(`http://${address}:10256/healthz`);
    const [, currentTime = ''] = /"currentTime": ?"([^"]*)"/.exec(await answer.text()) ?? [];
    return { status: answer.status, at: Date.parse(currentTime) };
  };
  const servedAt = async ({ station }: Watched) => {
    const outcome = await station.dial('tcp', CLUSTER_IP, 80, 2_000);
    return outcome.result === 'served' ? outcome.at : outcome.result;
  };

  it('changes nothing: rules, health and traffic stay, and what was missed is taken in after', async () => {
    for (const each of watched) await eventually(async () => expect(await servedAt(each)).to.equal(8080));
    const before = new Map<string, string>();
    for (const { name, node } of watched) before.set(name, await rulesOf(node));
    const begins = await Promise.all(watched.map(({ node }) => healthOf(node)));

    const look = async ({ name, node }: Watched, mode: RelayMode) => {
      expect(await rulesOf(node), `rules of ${name} while the API server is ${mode}`).to.equal(
        before.get(name),
      );
      // A second of a busy machine is a minute there, after which a process that says nothing counts as ill.
      const patienceMs = node === nodes[1] ? 5_000 : 0;
      await eventually(async () => {
        const { status } = await healthOf(node);
        expect(status, `health of ${name} while the API server is ${mode}`).to.equal(200);
      }, patienceMs);
    };
    const outage = (async () => {
      for (const [mode, ms] of OUTAGE) {
        relay.become(mode);
        const until = performance.now() + ms;
        while (performance.now() < until) {
          await Promise.all(watched.map((each) => look(each, mode)));
          await sleep(500);
        }
      }
    })();
    // What it finds is told where it's awaited.
    outage.catch(() => {});
    // While nobody hears of it, the Service moves.
    const ports = [{ name: 'http', protocol: 'TCP', port: 8081 }];
    await sleep(1_000);
    const patch = plane
      .adminClient()
      .patch(ENDPOINT_SLICES, 'default', 'web-1', { ports }, { contentType: 'merge' });
    patch.catch(() => {});
    const dial = { transport: 'tcp' as const, address: CLUSTER_IP, port: 80 };
    const outcomes = await Promise.all(
      watched.map(({ station }) => station.dialWhile(dial, 50, () => outage)),
    );
    await patch;
    for (const [index, { name }] of watched.entries()) {
      const all = outcomes[index] ?? [];
      expect(unserved(all), `connections on ${name}`).to.deep.equal([]);
      expect(all.length, `connections on ${name}`).to.be.greaterThan(500);
      const moved = all.filter((each) => each.result === 'served' && each.at !== 8080);
      expect(moved, `connections on ${name} that nobody could know of`).to.deep.equal([]);
    }
    const ends = await Promise.all(watched.map(({ node }) => healthOf(node)));
    const passed = ends.map(({ at }, index) => (at - (begins[index]?.at ?? 0)) / 60_000);
    expect(passed[0], 'minutes on the first node').to.be.within(1, 5);
    expect(passed[1], 'minutes on the second').to.be.greaterThan(60);

    relay.become('passing');
    // kube-proxy, which rests for up to a minute between two tries, isn't waited for.
    for (const each of watched.slice(0, 2)) {
      await eventually(async () => expect(await servedAt(each), each.name).to.equal(8081), 60_000);
    }
  });
});
