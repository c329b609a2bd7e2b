import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { explainFailures } from '../probe/judge-results.ts';
import type { ProbeResult } from '../probe/probe-protocol.ts';
import type { DemoLab } from './demo-lab.ts';
import { formatMs, type Terminal } from './terminal.ts';

const SAMPLE = 'config/samples/haproxy/provider.yaml';
/** Of the edge's machine in the lab: the side of the clients. */
const INTERFACE = 'eth1';
const PER_SECOND = 200;
const LEAD_MS = 1_000;
const WAIT_MS = 60_000;
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
    await change.kubectl('rollout', 'restart', 'deployment/web');
    await change.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  });
  await change.show('A node is drained, and comes back', 'none', async () => {
    await change.kubectl('label', 'node', 'node-3', `${EXCLUDED}=`);
    await change.kubectl('drain', 'node-3', '--ignore-daemonsets', '--timeout=60s');
    await change.kubectl('uncordon', 'node-3');
    await change.kubectl('label', 'node', 'node-3', `${EXCLUDED}-`);
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
  });
  return { edge, address };
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
  terminal.command(`curl http://${address}/   # the client: HAProxy, then a node's port, then a pod`);
  terminal.output(await lab.exec('client', 'curl', '-s', `http://${address}/`));
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

  async show(heading: string, reloads: 'none' | 'some', act: () => Promise<void>): Promise<void> {
    const terminal = this.#terminal;
    terminal.heading(heading);
    terminal.say(`${PER_SECOND} new connections a second from the client, all the while.`);
    const before = await reloadsOf(this.#lab, this.#edge);
    const results = await this.#underLoad(act);
    const made = (await reloadsOf(this.#lab, this.#edge)) - before;
    terminal.say('');
    const failed = results.filter(({ ok }) => !ok).length;
    terminal.claim(failed === 0, `${results.length} requests, failed: ${explainFailures(results)}`);
    terminal.claim(reloads === 'none' ? made === 0 : made > 0, `${made} reloads of HAProxy`);
  }

  /** Shown with what it prints; the last line of it, where it prints what goes on. */
  async kubectl(...args: string[]): Promise<void> {
    this.#terminal.command(`kubectl ${args.join(' ')}`);
    const output = (await this.#lab.ask(...args)).trimEnd();
    this.#terminal.output(args[0] === 'rollout' ? (output.split('\n').at(-1) ?? '') : output);
  }

  async #underLoad(act: () => Promise<void>): Promise<ProbeResult[]> {
    const request = { url: `http://${this.#address}/` };
    const load = await this.#lab.control.call('steady', { request, perSecond: PER_SECOND });
    await sleep(LEAD_MS);
    await act();
    await sleep(LEAD_MS);
    return await this.#lab.control.call('stopSteady', { load });
  }
}

async function addressOf(lab: DemoLab, service: string): Promise<string> {
  return await lab.ask('get', 'service', service, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
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
