/**
 * How long a Service waits for its EXTERNAL-IP: one at a time, and a thousand at once. Everything is real and shares this
 * machine's cores: etcd, kube-apiserver, the operator as its own process, and this client, which sees what a user's
 * `kubectl get --watch` would see.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { ADDRESS_POOLS, LOAD_BALANCER_PROVIDERS } from '../../crds/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createInformer } from '../../kube/informer.ts';
import { microTime } from '../../kube/lease-times.ts';
import { silentLogger } from '../../kube/log.ts';
import { LEASES, NAMESPACES, SERVICES } from '../../kube/resources.ts';
import { OperatorProcess } from '../chaos/support/operator-process.ts';
import type { ControlPlane } from '../controlplane/control-plane.ts';
import { startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { percentile, writeReport } from './report.ts';

const ONE_BY_ONE = 50;
const AT_ONCE = Number(process.env.BENCH_SERVICES ?? 1000);
/** As many as a `kubectl apply` of several files and a CI job or two have on their way. */
const CREATORS = 32;
const NAMESPACE = 'bench';
const SYSTEM = 'fairlead-system';

const cluster = await startControlPlane();
let operator: OperatorProcess | undefined;
try {
  process.exitCode = (await run(cluster)) ? 0 : 1;
} finally {
  await operator?.kill();
  await cluster.stop();
}
process.exit();

async function run(cluster: ControlPlane): Promise<boolean> {
  const client = cluster.adminClient();
  await prepare(client);
  const renewing = setInterval(() => void renewAgent(client), 1_000);
  operator = await startOperator(cluster);

  const served = new Map<string, number>();
  const services = createInformer(client, SERVICES, { log: silentLogger, namespace: NAMESPACE });
  services.store.onChange(({ object }) => {
    const { name } = object.metadata;
    if (object.status?.loadBalancer?.ingress?.length && !served.has(name))
      served.set(name, performance.now());
  });
  services.start();
  await services.synced;
  // Warm: connections, compiled code on both sides.
  for (let index = 0; index < 20; index++) await createAndWait(client, served, `warm-${index}`);

  const one: number[] = [];
  for (let index = 0; index < ONE_BY_ONE; index++) {
    one.push(await createAndWait(client, served, `one-${index}`));
    // So that what the operator writes afterwards (conditions, events) isn't in the way of the next.
    await sleep(400);
  }
  const cpuBefore = cpuOfAll(cluster, operator);
  const startedAt = performance.now();
  const createdAt = await createMany(client, AT_ONCE);
  const lastCreatedAt = performance.now();
  while (served.size < 20 + ONE_BY_ONE + AT_ONCE) {
    if (performance.now() - startedAt > 120_000) throw new Error(`only ${served.size} Services were served`);
    await sleep(10);
  }
  const cpuAfter = cpuOfAll(cluster, operator);
  const cpuUsed = Object.fromEntries(
    Object.entries(cpuAfter).map(([name, seconds]) => [name, (seconds - (cpuBefore[name] ?? 0)).toFixed(1)]),
  );
  const ends = [...createdAt.keys()].map((name) => served.get(name) ?? Number.NaN);
  const waits = [...createdAt].map(([name, since]) => (served.get(name) ?? Number.NaN) - since);
  clearInterval(renewing);
  await services.stop();
  return await writeReport({
    name: 'service-latency',
    title: 'Create a Service of type LoadBalancer -> EXTERNAL-IP in its status',
    rows: [
      { what: `one at a time, ${ONE_BY_ONE} times: p50`, value: percentile(one, 0.5), unit: 'ms', bar: 20 },
      { what: 'one at a time: p99', value: percentile(one, 0.99), unit: 'ms', bar: 100 },
      {
        what: `${AT_ONCE} at once: from the first create to the last served`,
        value: (Math.max(...ends) - startedAt) / 1000,
        unit: 's',
        bar: 10,
      },
      { what: `${AT_ONCE} at once: all created after`, value: (lastCreatedAt - startedAt) / 1000, unit: 's' },
      { what: `${AT_ONCE} at once: one's wait, p50`, value: percentile(waits, 0.5), unit: 'ms' },
      { what: `${AT_ONCE} at once: one's wait, p99`, value: percentile(waits, 0.99), unit: 'ms' },
    ],
    notes: {
      operatorMemoryMiB: memoryMiB(operator),
      ...cpuUsed,
      creators: CREATORS,
      etcdFsync: 'off',
      kubernetes: '1.36.3',
    },
  });
}

async function prepare(client: KubeClient): Promise<void> {
  await installCrds(client);
  for (const name of [NAMESPACE, SYSTEM]) await client.create(NAMESPACES, { metadata: { name } });
  await client.request('POST', '/apis/fairlead.dev/v1alpha1/loadbalancerproviders', {
    body: {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: LOAD_BALANCER_PROVIDERS.kind,
      metadata: { name: 'bench' },
      spec: { default: true, announce: {} },
    },
  });
  await client.request('POST', '/apis/fairlead.dev/v1alpha1/addresspools', {
    body: {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: ADDRESS_POOLS.kind,
      metadata: { name: 'bench' },
      spec: { addresses: ['198.18.0.0/16'] },
    },
  });
  await client.create(LEASES, {
    metadata: {
      name: 'fairlead-agent-bench',
      namespace: SYSTEM,
      labels: { 'fairlead.dev/component': 'agent' },
    },
    spec: { holderIdentity: 'bench', leaseDurationSeconds: 3, renewTime: microTime(new Date()) },
  });
}

/** One agent that is alive, so that Services get ready as in a real cluster. */
async function renewAgent(client: KubeClient): Promise<void> {
  const spec = { renewTime: microTime(new Date()) };
  await client
    .patch(LEASES, SYSTEM, 'fairlead-agent-bench', { spec }, { contentType: 'merge' })
    .catch(() => {});
}

async function startOperator(cluster: ControlPlane): Promise<OperatorProcess> {
  const operator = OperatorProcess.start(cluster.kubeconfig);
  await operator.ready();
  return operator;
}

async function createAndWait(client: KubeClient, served: Map<string, number>, name: string): Promise<number> {
  const since = performance.now();
  await create(client, name);
  while (!served.has(name)) {
    if (performance.now() - since > 20_000) throw new Error(`Service ${name} was not served`);
    await sleep(1);
  }
  return (served.get(name) ?? Number.NaN) - since;
}

async function createMany(client: KubeClient, count: number): Promise<Map<string, number>> {
  const createdAt = new Map<string, number>();
  let next = 0;
  const work = async () => {
    while (next < count) {
      const name = `many-${next++}`;
      createdAt.set(name, performance.now());
      await create(client, name);
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, work));
  return createdAt;
}

async function create(client: KubeClient, name: string): Promise<void> {
  await client.create(SERVICES, {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      type: 'LoadBalancer',
      selector: { app: name },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    },
  });
}

/** What each process spent until now: 1,000 at once are a matter of CPU time, and other work on the machine shows here. */
function cpuOfAll(cluster: ControlPlane, operator: OperatorProcess): Record<string, number> {
  const used: Record<string, number> = { 'CPU seconds of this client': cpuSeconds(process.pid) };
  used['CPU seconds of the operator'] = cpuSeconds(operator.pid);
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const name = /(etcd|kube-apiserver)$/.exec(commandOf(pid, cluster.dir) ?? '')?.[1];
    if (name !== undefined) used[`CPU seconds of ${name}`] = cpuSeconds(pid);
  }
  return used;
}

/** The program of a process that was started for this cluster. */
function commandOf(pid: number, dir: string): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.includes(dir)) ? words[0] : undefined;
  } catch {
    return undefined;
  }
}

/** utime and stime of proc(5), in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memoryMiB({ pid }: OperatorProcess): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
