import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { countByPod, explainFailures } from '../probe/judge-results.ts';
import type { ProbeResult } from '../probe/probe-protocol.ts';
import type { DemoLab } from './demo-lab.ts';
import { formatMs, type Terminal } from './terminal.ts';

const SAMPLE = 'config/samples/haproxy/provider.yaml';
/** Of the edge's machine in the lab: the side of the clients. */
const INTERFACE = 'eth1';
const PER_SECOND = 200;
const LEAD_MS = 1_000;
const WAIT_MS = 60_000;
const NODE = 'node-3';
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const OTHER = `apiVersion: v1
kind: Service
metadata: { name: other, namespace: default }
spec:
  type: LoadBalancer
  selector: { app: web }
  ports: [{ name: http, port: 8080, targetPort: http }]
`;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A Service on HAProxy outside of the cluster, and what its clients notice of changes: nothing. */
export async function showEdge(lab: DemoLab, terminal: Terminal): Promise<{ edge: string; address: string }> {
  const edge = await configure(lab, terminal);
  const address = await showFirstAnswer(lab, terminal, edge);
  const change = new Change(lab, terminal, edge, address);
  await change.show('The pods are replaced, one by one', 'none', async () => {
    const before = await podsOf(lab);
    await change.kubectl('rollout', 'restart', 'deployment/web');
    await change.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    return countPods(before);
  });
  await change.show(`${NODE} is drained, and comes back`, 'none', async () => {
    // As KEP-3458 has it: the label takes a node out of load balancers, then its pods may go.
    await change.kubectl('label', 'node', NODE, `${EXCLUDED}=`);
    await change.kubectl('drain', NODE, '--ignore-daemonsets', '--timeout=60s');
    const drained = { since: Date.now() + LEAD_MS / 2, until: Date.now() + 2 * LEAD_MS };
    await sleep(2 * LEAD_MS);
    await change.kubectl('uncordon', NODE);
    await change.kubectl('label', 'node', NODE, `${EXCLUDED}-`);
    return countNodes(drained);
  });
  await change.show('Another Service comes and goes: HAProxy reloads', 'some', async () => {
    await change.kubectl('apply', '-f', await lab.writeFile('other.yaml', OTHER));
    await until(
      async () => (await addressOf(lab, 'other')) !== '',
      'the other Service to get an address',
      lab,
    );
    await change.kubectl('delete', 'service', 'other');
    const isGone = async () => (await configOf(lab, edge)).match(/^listen /gm)?.length === 1;
    await until(isGone, 'the other Service to leave HAProxy', lab);
    return () => [];
  });
  return { edge, address };
}

/** What besides is to be claimed of the requests that were made meanwhile. */
type Judge = (results: readonly ProbeResult[]) => [holds: boolean, what: string][];

async function podsOf(lab: DemoLab): Promise<ReadonlySet<string>> {
  const text = await lab.ask('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}');
  return new Set(text.split(' '));
}

/** How many of the former pods answered, and of those in their place. */
function countPods(former: ReadonlySet<string>): Judge {
  return (results) => {
    const answered = [...countByPod(results).keys()];
    const went = answered.filter((pod) => former.has(pod)).length;
    const came = answered.length - went;
    return [[came > 0 && went > 0, `answered by ${went} pods that went, then by ${came} in their place`]];
  };
}

/** How many requests came by the drained node, a while after it was. */
function countNodes({ since, until }: { since: number; until: number }): Judge {
  return (results) => {
    const meanwhile = results.filter(({ at }) => at >= since && at < until);
    const byNode = meanwhile.filter((result) => nodeOf(result) === NODE).length;
    const what = `${byNode} of ${meanwhile.length} requests went by ${NODE} while it was drained`;
    return [[byNode === 0 && meanwhile.length > 0, what]];
  };
}

/** The node whose port HAProxy chose: the pod sees its address, or one of the pod's own node. */
function nodeOf({ answer }: ProbeResult): string | undefined {
  const [, number] = /^10\.89\.0\.1(\d):/.exec(answer?.client ?? '') ?? [];
  return number === undefined ? answer?.node : `node-${number}`;
}

async function configure(lab: DemoLab, terminal: Terminal): Promise<string> {
  terminal.heading('A machine with HAProxy, outside of the cluster');
  const provider = parse(await readFile(SAMPLE, 'utf8'));
  provider.spec.haproxy.interface = INTERFACE;
  // Services that ask for no provider get this one.
  provider.spec.default = true;
  terminal.command(`kubectl apply -f ${SAMPLE} -f config/samples/pool.yaml`);
  const file = await lab.writeFile('provider.yaml', stringify(provider));
  terminal.output(await lab.ask('apply', '-f', file, '-f', 'config/samples/pool.yaml'));
  terminal.aside(`With default: true, and ${INTERFACE} as the interface.`);
  terminal.command('fairlead edge --provider edge --kubeconfig ...   # on that machine');
  terminal.wait('for the edge');
  const { name, outside } = await lab.control.call('startEdge', { provider: 'edge' });
  terminal.claim(true, `edge "${name}" follows the cluster; its machine has ${outside} on ${INTERFACE}`);
  return name;
}

async function showFirstAnswer(lab: DemoLab, terminal: Terminal, edge: string): Promise<string> {
  terminal.heading('A Service of type LoadBalancer gets its address there');
  terminal.command('kubectl apply -f config/samples/web.yaml');
  const startedAt = performance.now();
  terminal.output(await lab.ask('apply', '-f', 'config/samples/web.yaml'));
  terminal.wait('for the address');
  await until(async () => (await addressOf(lab, 'web')) !== '', 'the Service to get an address', lab);
  const tookMs = performance.now() - startedAt;
  const address = await addressOf(lab, 'web');
  terminal.command('kubectl get service web');
  terminal.output(await lab.ask('get', 'service', 'web'));
  terminal.claim(true, `EXTERNAL-IP is there after ${formatMs(tookMs)}`);
  terminal.wait('for the pods');
  await lab.ask('rollout', 'status', 'deployment/web', '--timeout=60s');
  const isServed = async () => (await lab.control.call('request', { url: `http://${address}/` })).ok;
  await until(isServed, 'an answer', lab);
  terminal.command(`curl http://${address}/   # client -> HAProxy -> a node's port -> a pod`);
  terminal.output(await lab.exec('client', 'curl', '-s', `http://${address}/`));
  await until(async () => (await reportOf(lab)).isHealthy, 'all nodes to be healthy', lab);
  const { haproxy, targets } = await reportOf(lab);
  terminal.claim(true, `HAProxy ${haproxy} on ${edge} serves it, ${targets} nodes are healthy`);
  terminal.command(`grep -A 4 '^listen' haproxy.cfg   # on ${edge}`);
  const sections = (await configOf(lab, edge)).split('\n');
  const first = sections.findIndex((line) => line.startsWith('listen '));
  terminal.output(sections.slice(first, first + 5).join('\n'));
  return address;
}

/** Something that is changed under steady load. */
class Change {
  readonly #lab: DemoLab;
  readonly #terminal: Terminal;
  readonly #edge: string;
  readonly #address: string;

  constructor(lab: DemoLab, terminal: Terminal, edge: string, address: string) {
    this.#lab = lab;
    this.#terminal = terminal;
    this.#edge = edge;
    this.#address = address;
  }

  /** `act` answers what else is to be claimed of the requests. */
  async show(heading: string, reloads: 'none' | 'some', act: () => Promise<Judge>): Promise<void> {
    const terminal = this.#terminal;
    terminal.heading(heading);
    terminal.say(`${PER_SECOND} new connections a second from the client, all the while.`);
    const before = await reloadsOf(this.#lab, this.#edge);
    const { results, judge } = await this.#underLoad(act);
    const made = (await reloadsOf(this.#lab, this.#edge)) - before;
    terminal.say('');
    const failed = results.filter(({ ok }) => !ok).length;
    terminal.claim(failed === 0, `${results.length} requests, failed: ${explainFailures(results)}`);
    for (const [holds, what] of judge(results)) terminal.claim(holds, what);
    if (reloads === 'none')
      terminal.claim(made === 0, `${made} reloads of HAProxy: servers change while it runs`);
    else terminal.claim(made > 0, `${made} reloads of HAProxy: another address to listen on takes one`);
  }

  /** Shown with what it prints; the last line of it, where it prints what goes on. */
  async kubectl(...args: string[]): Promise<void> {
    this.#terminal.command(`kubectl ${args.join(' ')}`);
    const output = (await this.#lab.ask(...args)).trimEnd();
    this.#terminal.output(args[0] === 'rollout' ? (output.split('\n').at(-1) ?? '') : output);
  }

  async #underLoad(act: () => Promise<Judge>): Promise<{ results: ProbeResult[]; judge: Judge }> {
    const request = { url: `http://${this.#address}/` };
    const load = await this.#lab.control.call('steady', { request, perSecond: PER_SECOND });
    await sleep(LEAD_MS);
    const judge = await act();
    await sleep(LEAD_MS);
    return { results: await this.#lab.control.call('stopSteady', { load }), judge };
  }
}

async function addressOf(lab: DemoLab, service: string): Promise<string> {
  return await lab.ask('get', 'service', service, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
}

/** What the edge says of it, in the LoadBalancer's status. */
async function reportOf(lab: DemoLab): Promise<{ haproxy: string; targets: string; isHealthy: boolean }> {
  const first = '.status.edges[0]';
  const fields = `{${first}.haproxy} {${first}.targets.healthy} {${first}.targets.desired}`;
  const text = await lab.ask('get', 'loadbalancer', 'web.edge', '-o', `jsonpath=${fields}`);
  const [haproxy = '', healthy = '', desired = ''] = text.split(' ');
  return { haproxy, targets: `${healthy} of ${desired}`, isHealthy: healthy === desired && healthy !== '' };
}

async function configOf(lab: DemoLab, edge: string): Promise<string> {
  return await lab.exec(edge, 'cat', `/run/fairlead-lab/${edge}/haproxy.cfg`);
}

async function reloadsOf(lab: DemoLab, edge: string): Promise<number> {
  const metrics = await lab.exec(edge, 'curl', '-s', 'http://127.0.0.1:10359/metrics');
  const [, count] = /^fairlead_edge_reloads_total (\d+)$/m.exec(metrics) ?? [];
  if (count === undefined) throw new Error(`${edge} does not say how often it reloaded`);
  return Number(count);
}

async function until(check: () => Promise<boolean>, what: string, lab: DemoLab): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await check())) {
    if (performance.now() > deadline) {
      const { stdout } = await lab.kubectl(['get', 'services,loadbalancers', '-o', 'yaml']);
      throw new Error(`waited ${formatMs(WAIT_MS)} for ${what}\n${stdout}`);
    }
    await sleep(100);
  }
}
