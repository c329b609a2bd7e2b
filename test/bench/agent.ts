/**
 * The agent at 10,000 Services of two endpoints: how long it takes from its start to everything in the kernel, and from a
 * change of one EndpointSlice to the kernel, as `nft monitor` sees it. Everything is real and shares this machine's cores:
 * etcd, kube-apiserver, the agent as its own process in a network namespace of its own, and this client.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { KubeClient } from '../../kube/client.ts';
import { ENDPOINT_SLICES, NODES } from '../../kube/resources.ts';
import { startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { percentile, writeReport } from './report.ts';
import { type AgentProcess, startAgent } from './support/agent-process.ts';
import { cpuSeconds, memoryMiB } from './support/process-figures.ts';
import { buildSlice, createService, createServices, NAMESPACE } from './support/service-load.ts';

const SERVICES = Number(process.env.BENCH_SERVICES ?? 10_000);
const CHANGES = Number(process.env.BENCH_CHANGES ?? 120);
const NEW_SERVICES = 20;
const BETWEEN_CHANGES_MS = 250;
const IDLE_MS = 10_000;
const NODE = 'node-1';
const NETNS = 'agent';
const HOST_ADDRESS = '10.89.0.1';
const AGENT_ADDRESS = '10.89.0.2';
const INSIDE = ['ip', 'netns', 'exec', NETNS];

makeNetwork();
const cluster = await startControlPlane({ address: HOST_ADDRESS });
try {
  process.exitCode = (await run(cluster.adminClient(), cluster.kubeconfig)) ? 0 : 1;
} finally {
  await cluster.stop();
}
process.exit();

async function run(client: KubeClient, kubeconfig: string): Promise<boolean> {
  await installCrds(client);
  await client.create(NODES, { metadata: { name: NODE } });
  await client.request('PATCH', `/api/v1/nodes/${NODE}/status`, {
    contentType: 'application/merge-patch+json',
    body: { status: { addresses: [{ type: 'InternalIP', address: AGENT_ADDRESS }] } },
  });
  await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'fairlead-system' } } });
  process.stderr.write(`creating ${SERVICES} Services\n`);
  await createServices(client, SERVICES);

  const health = watchHealth();
  const args = ['--node-name', NODE, '--kubeconfig', kubeconfig, '--cluster-cidr', '10.244.0.0/16'];
  const cold = await startAgent(INSIDE, args);
  const slowestHealth = await health.stop();
  process.stderr.write(`cold start: ${JSON.stringify(cold.programmed)}\n`);
  const expected = countElements();
  await cold.stop('SIGKILL');
  const agent = await startAgent(INSIDE, args);
  process.stderr.write(`restart: ${JSON.stringify(agent.programmed)}\n`);
  if (countElements() !== expected) throw new Error('after a restart the kernel holds something else');
  const afterStart = memoryMiB(agent.pid);

  const monitor = await watchKernel();
  const cpuBefore = cpuSeconds(agent.pid);
  const changes = await measureChanges(client, monitor);
  const cpuPerChange = (cpuSeconds(agent.pid) - cpuBefore) / CHANGES;
  const additions = await measureAdditions(client, monitor);
  const idleBefore = cpuSeconds(agent.pid);
  await sleep(IDLE_MS);
  const idleCpu = ((cpuSeconds(agent.pid) - idleBefore) * 1000) / IDLE_MS;
  const memory = memoryMiB(agent.pid);
  monitor.stop();
  await agent.stop('SIGTERM');
  return await writeReport({
    name: 'agent',
    title: `The agent at ${SERVICES.toLocaleString('en')} Services x 2 endpoints`,
    rows: [
      {
        what: 'start of the process -> everything in the kernel',
        value: cold.startMs / 1000,
        unit: 's',
        bar: 3,
      },
      {
        what: 'health answers meanwhile, slowest of all',
        value: slowestHealth,
        unit: 'ms',
        bar: 100,
      },
      {
        what: 'the same, the rules of a killed agent in the kernel',
        value: agent.startMs / 1000,
        unit: 's',
        bar: 3,
      },
      {
        what: `EndpointSlice change -> kernel, ${CHANGES} times: p50`,
        value: percentile(changes, 0.5),
        unit: 'ms',
        bar: 50,
      },
      { what: 'EndpointSlice change -> kernel: p90', value: percentile(changes, 0.9), unit: 'ms' },
      { what: 'EndpointSlice change -> kernel: p99', value: percentile(changes, 0.99), unit: 'ms', bar: 150 },
      { what: 'EndpointSlice change -> kernel: max', value: percentile(changes, 1), unit: 'ms' },
      {
        what: `one Service more -> kernel, ${NEW_SERVICES} times: p50`,
        value: percentile(additions, 0.5),
        unit: 'ms',
      },
      { what: 'one Service more -> kernel: max', value: percentile(additions, 1), unit: 'ms' },
      { what: 'memory (RSS) after the start', value: afterStart.now, unit: 'MiB', bar: 250 },
      { what: 'memory (RSS) after all changes', value: memory.now, unit: 'MiB', bar: 250 },
      { what: 'memory (RSS) at its peak', value: memory.peak, unit: 'MiB', bar: 250 },
      { what: 'CPU for one change, nft included', value: cpuPerChange * 1000, unit: 'ms' },
      { what: 'CPU at rest', value: idleCpu * 100, unit: '%' },
    ],
    notes: {
      elements: expected,
      start: describeStart(cold),
      restart: describeStart(agent),
      'compared with':
        'kube-proxy 1.36.3, nftables mode, same sizes, another run: start 11.5 to 22.6 s, change p50 3,377 ms, 188 to 362 MB',
      nft: execFileSync('nft', ['-v']).toString().trim(),
      kubernetes: '1.36.3',
    },
  });
}

function describeStart({ programmed }: AgentProcess): string {
  const { listedMs, programmedMs } = programmed;
  return `listed after ${listedMs} ms, programmed after ${programmedMs} ms (from its first line of code on)`;
}

/** Each change gives one Service an endpoint that none had before. */
async function measureChanges(client: KubeClient, monitor: Monitor): Promise<number[]> {
  const latencies: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const index = (change * 7919) % SERVICES;
    const address = `10.245.${change >> 8}.${change & 255}`;
    const { endpoints } = buildSlice(index, [address, `10.246.${change >> 8}.${change & 255}`]);
    const seen = monitor.waitFor(`: ${address} . 8080`);
    const startedAt = performance.now();
    const patched = client.patch(
      ENDPOINT_SLICES,
      NAMESPACE,
      `service-${index}-abcde`,
      { endpoints },
      { contentType: 'merge' },
    );
    latencies.push((await seen) - startedAt);
    await patched;
    await sleep(BETWEEN_CHANGES_MS);
  }
  return latencies;
}

async function measureAdditions(client: KubeClient, monitor: Monitor): Promise<number[]> {
  const latencies: number[] = [];
  for (let addition = 0; addition < NEW_SERVICES; addition++) {
    const index = SERVICES + addition;
    const seen = monitor.waitFor(`: 10.244.${(index * 2) >> 8}.${(index * 2) & 255} . 8080`);
    const startedAt = performance.now();
    const created = createService(client, index);
    latencies.push((await seen) - startedAt);
    await created;
    await sleep(BETWEEN_CHANGES_MS);
  }
  return latencies;
}

/** Asks for the agent's health all the time, from when it first answers. */
function watchHealth(): { stop(): Promise<number> } {
  let slowest = Number.NaN;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const askedAt = performance.now();
      const answered = await fetch(`http://${AGENT_ADDRESS}:10256/livez`).then(
        (response) => response.text(),
        () => undefined,
      );
      if (answered !== undefined) slowest = Math.max(slowest || 0, performance.now() - askedAt);
      await sleep(10);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
      return slowest;
    },
  };
}

interface Monitor {
  /** Resolves with `performance.now()` when a line with this text comes. */
  waitFor(text: string): Promise<number>;
  stop(): void;
}

async function watchKernel(): Promise<Monitor> {
  const [command = '', ...rest] = [...INSIDE, 'nft', 'monitor', 'new'];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting = new Map<string, (at: number) => void>();
  createInterface(child.stdout).on('line', (line) => {
    for (const [text, resolve] of waiting) {
      if (!line.includes(text)) continue;
      waiting.delete(text);
      resolve(performance.now());
    }
  });
  // It reads the whole ruleset before it listens.
  await sleep(3_000);
  return {
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the kernel never got ${text}`)), 20_000);
        waiting.set(text, (at) => {
          clearTimeout(timer);
          resolve(at);
        });
      }),
    stop: () => child.kill('SIGKILL'),
  };
}

function countElements(): number {
  const [command = '', ...rest] = [...INSIDE, 'nft', '-j', 'list', 'table', 'ip', 'fairlead'];
  const listing = JSON.parse(execFileSync(command, rest, { maxBuffer: 2 ** 28 }).toString());
  let count = 0;
  for (const { map, set } of listing.nftables) count += (map ?? set)?.elem?.length ?? 0;
  return count;
}

function makeNetwork(): void {
  const commands = [
    `netns add ${NETNS}`,
    `link add to-agent type veth peer name eth0 netns ${NETNS}`,
    `addr add ${HOST_ADDRESS}/24 dev to-agent`,
    'link set to-agent up',
    `-n ${NETNS} addr add ${AGENT_ADDRESS}/24 dev eth0`,
    `-n ${NETNS} link set eth0 up`,
    `-n ${NETNS} link set lo up`,
    `-n ${NETNS} route add default via ${HOST_ADDRESS}`,
  ];
  for (const command of commands) execFileSync('ip', command.split(' '), { stdio: 'inherit' });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
