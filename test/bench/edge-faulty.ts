/**
 * How soon a Service that an edge can't serve is told why, beside 199 that are served; and the same when all 200 come at once. The
 * operator and the edge are processes of their own, HAProxy and the API server are real ones. Meanwhile another Service gets two
 * hundred requests a second, none of which may fail.
 *
 * BENCH_EDGE_SERVICES
 */
import { loadavg } from 'node:os';
import { ADDRESS_POOLS, LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../crds/resources.ts';
import { findCondition } from '../../kube/conditions.ts';
import { createInformer } from '../../kube/informer.ts';
import { silentLogger } from '../../kube/log.ts';
import type { Service } from '../../kube/objects.ts';
import { pathOf, SECRETS, SERVICES } from '../../kube/resources.ts';
import { SERVICE_CONDITION } from '../../operator/plan/names.ts';
import { OperatorProcess } from '../chaos/support/operator-process.ts';
import { makeCertificate } from '../net/edge/support/certificates.ts';
import { EdgeLab, PROVIDER } from '../net/edge/support/edge-lab.ts';
import { ask, Load } from '../net/edge/support/traffic.ts';
import { type BenchRow, percentile, writeReport } from './report.ts';

const SERVICES_COUNT = Number(process.env.BENCH_EDGE_SERVICES ?? 200);
const TURNS = 20;
const BAR_MS = 2_000;
const LONGEST_MS = 180_000;
const NAMESPACE = 'default';
/** Something else on the machine of the edge has its port 80. */
const TAKEN = '192.0.3.250';
const SECRET = 'broken';

interface Fault {
  name: string;
  reason: string;
  annotations: Record<string, string>;
}

const FAULTS: readonly Fault[] = [
  { name: 'a port that is taken', reason: 'PortTaken', annotations: { 'fairlead.dev/address': TAKEN } },
  {
    name: "a certificate with another's key",
    reason: 'CertificateInvalid',
    annotations: { 'fairlead.dev/tls-secret': SECRET },
  },
];
const [PORT_TAKEN = { name: '', reason: '', annotations: {} }] = FAULTS;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const loadBefore = loadavg()[0] ?? 0;
const lab = await EdgeLab.start('bench');
const operator = OperatorProcess.start(lab.plane.kubeconfig, ['--namespace', 'fairlead-system']);
const toldAt = new Map<string, number>();
const services = createInformer(lab.client, SERVICES, { log: silentLogger, namespace: NAMESPACE });
services.store.onChange(({ object }) => {
  const { name } = object.metadata;
  if (!toldAt.has(name) && (isServed(object) || isNamed(object))) toldAt.set(name, performance.now());
});
services.start();
/** Of the edge, before the operator passes it on. */
const reportedAt = new Map<string, number>();
const loadBalancers = createInformer(lab.client, LOAD_BALANCERS, {
  log: silentLogger,
  namespace: NAMESPACE,
});
loadBalancers.store.onChange(({ object: { spec, status } }) => {
  const { name } = spec.service;
  const isReported = (status?.edges ?? []).some(({ reason }) => reason !== undefined);
  if (isReported && !reportedAt.has(name)) reportedAt.set(name, performance.now());
});
loadBalancers.start();
const server = await lab.addNode(1);
const taken = await prepare();
await Promise.all([services.synced, loadBalancers.synced, operator.ready()]);
const rows = [...(await measureAtOnce()), ...(await measureBeside())];
const held = await writeReport({
  name: 'edge-faulty',
  title: `One faulty Service among ${SERVICES_COUNT} on HAProxy`,
  rows,
  notes: {
    named: "the Service's condition has the reason; from the answer to its creation on",
    'load average before': loadBefore.toFixed(1),
    requests:
      'two hundred a second to another Service, half of them on new connections, while faulty ones come and go',
  },
});
await taken.end('SIGKILL');
await operator.kill();
await services.stop();
await loadBalancers.stop();
await lab.stop();
process.exit(held ? 0 : 1);

/** What the faults are about, and where all others get their addresses from. */
async function prepare() {
  const targets = { spec: { targets: { mode: 'Pod' } } };
  await lab.client.patch(LOAD_BALANCER_PROVIDERS, undefined, PROVIDER, targets, { contentType: 'merge' });
  const pools = [
    { name: 'bench', spec: { addresses: ['192.0.2.0/24'] } },
    { name: 'taken', spec: { addresses: [`${TAKEN}/32`], autoAssign: false } },
  ];
  for (const { name, spec } of pools) {
    const body = { apiVersion: 'fairlead.dev/v1alpha1', kind: ADDRESS_POOLS.kind, metadata: { name }, spec };
    await lab.client.request('POST', pathOf(ADDRESS_POOLS), { body });
  }
  const [one, other] = [await makeCertificate('one.example'), await makeCertificate('other.example')];
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const data = { 'tls.crt': encode(one['tls.crt']), 'tls.key': encode(other['tls.key']) };
  await lab.client.create(SECRETS, { metadata: { name: SECRET, namespace: NAMESPACE }, data });
  const group = 'rbac.authorization.k8s.io';
  const base = `/apis/${group}/v1/namespaces/${NAMESPACE}`;
  const metadata = { name: 'edge' };
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }];
  await lab.client.request('POST', `${base}/roles`, { body: { metadata, rules } });
  const roleRef = { apiGroup: group, kind: 'Role', name: 'edge' };
  const subjects = [{ kind: 'ServiceAccount', name: 'fairlead-edge', namespace: 'fairlead-system' }];
  await lab.client.request('POST', `${base}/rolebindings`, { body: { metadata, roleRef, subjects } });
  return await lab.listen(TAKEN, 80);
}

/** The faulty one in the middle of the others. */
async function measureAtOnce(): Promise<BenchRow[]> {
  const good = Array.from({ length: SERVICES_COUNT - 1 }, (_, index) => `web-${index}`);
  const middle = Math.floor(good.length / 2);
  const startedAt = performance.now();
  let faultyAt = 0;
  for (const [index, name] of good.entries()) {
    if (index === middle) faultyAt = await create('faulty', PORT_TAKEN.annotations);
    await create(name);
  }
  const atOnceMs = (await told('faulty')) - faultyAt;
  const byEdgeMs = (reportedAt.get('faulty') ?? Number.NaN) - faultyAt;
  const servedAt = Math.max(...(await Promise.all(good.map(told))));
  await remove('faulty');
  return [
    {
      what: 'all at once: named by the edge, in status.edges of its LoadBalancer',
      value: byEdgeMs,
      unit: 'ms',
    },
    { what: "all at once: named in the Service's condition", value: atOnceMs, unit: 'ms' },
    { what: 'all at once: the others served', value: (servedAt - startedAt) / 1_000, unit: 's' },
  ];
}

async function measureBeside(): Promise<BenchRow[]> {
  const { store } = services;
  const addressOf = (name: string) =>
    store.get(`${NAMESPACE}/${name}`)?.status?.loadBalancer?.ingress?.[0]?.ip ?? '';
  const others = store.list().filter(isServed);
  const load = new Load(addressOf('web-0'), 80);
  const rows: BenchRow[] = [];
  for (const fault of FAULTS) {
    const taken: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const name = `faulty-${fault.reason.toLowerCase()}-${turn}`;
      const since = await create(name, fault.annotations);
      taken.push((await told(name)) - since);
      await remove(name);
    }
    const what = `${fault.name}: named beside ${others.length} that are served, ${TURNS} times`;
    rows.push({ what: `${what}: p50`, value: percentile(taken, 0.5), unit: 'ms', bar: BAR_MS });
    rows.push({
      what: `${fault.name}: the slowest of them`,
      value: Math.max(...taken),
      unit: 'ms',
      bar: BAR_MS,
    });
  }
  await load.stop();
  const served = await Promise.all(
    others.map(({ metadata }) =>
      ask(addressOf(metadata.name), 80).then(
        () => true,
        () => false,
      ),
    ),
  );
  return [
    ...rows,
    {
      what: 'others that are served after that',
      value: served.filter(Boolean).length,
      unit: '',
      least: SERVICES_COUNT - 1,
    },
    { what: `of ${load.answered} requests meanwhile, failed`, value: load.failures.length, unit: '', bar: 0 },
  ];
}

async function create(name: string, annotations: Record<string, string> = {}): Promise<number> {
  await lab.client.create(SERVICES, {
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: {
      type: 'LoadBalancer',
      loadBalancerClass: `fairlead.dev/${PROVIDER}`,
      // Straight to the one server that there is, which has one port.
      allocateLoadBalancerNodePorts: false,
      ports: [{ name: 'http', port: 80 }],
    },
  });
  const now = performance.now();
  await lab.setPods(name, { [server]: true });
  return now;
}

async function told(name: string): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const at = toldAt.get(name);
    if (at !== undefined) return at;
    if (performance.now() > deadline) throw new Error(`nothing was told of ${name}`);
    await sleep(5);
  }
}

async function remove(name: string): Promise<void> {
  await lab.client.delete(SERVICES, NAMESPACE, name);
  while (services.store.get(`${NAMESPACE}/${name}`) !== undefined) await sleep(20);
}

function isServed({ status }: Service): boolean {
  return (status?.loadBalancer?.ingress?.length ?? 0) > 0;
}

function isNamed({ status }: Service): boolean {
  const reason = findCondition(status?.conditions, SERVICE_CONDITION)?.reason;
  return FAULTS.some((fault) => fault.reason === reason);
}
