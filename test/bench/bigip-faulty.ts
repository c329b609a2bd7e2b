/**
 * How soon a Service that a BIG-IP refuses is told why, beside 199 that are served; and the same when all 200 come at once.
 * The operator is a process of its own, the API server a real one; the device is a stand-in, whose declarations take a
 * fixed time.
 */
import { loadavg } from 'node:os';
import { findCondition } from '../../kube/conditions.ts';
import { createInformer } from '../../kube/informer.ts';
import { silentLogger } from '../../kube/log.ts';
import type { Service } from '../../kube/objects.ts';
import { NAMESPACES, NODES, SERVICES } from '../../kube/resources.ts';
import { SERVICE_CONDITION } from '../../operator/plan/names.ts';
import { makeBigIpProvider } from '../chaos/support/make-bigip-provider.ts';
import { OperatorProcess } from '../chaos/support/operator-process.ts';
import { startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { startBigIp } from '../peers/bigip/bigip-peer.ts';
import { type BenchRow, percentile, writeReport } from './report.ts';

const SERVICES_COUNT = Number(process.env.BENCH_BIGIP_SERVICES ?? 200);
const TURNS = 20;
const DECLARATION_MS = Number(process.env.BENCH_BIGIP_DECLARATION_MS ?? 20);
const BAR_MS = 2_000;
const LONGEST_MS = 180_000;
const SYSTEM = 'fairlead-system';
const PROVIDER = 'f5';
const NAMESPACE = 'shop';
/** Somebody else's virtual server has its port 80. */
const TAKEN = '203.0.113.1';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const [loadBefore = 0] = loadavg();
const rows: BenchRow[] = [];
for (const perApp of [true, false]) rows.push(...(await measure(perApp)));
const held = await writeReport({
  name: 'bigip-faulty',
  title: `One faulty Service among ${SERVICES_COUNT} on a BIG-IP`,
  rows,
  notes: {
    device: `a stand-in, whose declarations take ${DECLARATION_MS} ms, one at a time`,
    'load average before': loadBefore.toFixed(1),
    fault:
      "an address and port of somebody else's virtual server; named: the Service's condition has the device's words",
  },
});
process.exit(held ? 0 : 1);

async function measure(perApp: boolean): Promise<BenchRow[]> {
  const cluster = await startControlPlane();
  const peer = await startBigIp({ perApp, times: { declaration: DECLARATION_MS } });
  const client = cluster.adminClient();
  await installCrds(client);
  for (const name of [SYSTEM, NAMESPACE]) await client.create(NAMESPACES, { metadata: { name } });
  const destination = `/Common/${TAKEN}:80`;
  peer.unit.create('ltm/virtual', { name: 'theirs', partition: 'Common', destination, ipProtocol: 'tcp' });
  const addresses = ['198.18.0.0/22'];
  const names = { name: PROVIDER, system: SYSTEM, tenant: 'bench' };
  await makeBigIpProvider(client, peer, { ...names, addresses, reserved: [`${TAKEN}/32`] });
  await client.create(NODES, { metadata: { name: 'node-1' } });
  const status = { addresses: [{ type: 'InternalIP', address: '10.20.0.1' }] };
  const how = { contentType: 'merge', subresource: 'status' } as const;
  await client.patch(NODES, undefined, 'node-1', { status }, how);

  const toldAt = new Map<string, number>();
  const services = createInformer(client, SERVICES, { log: silentLogger, namespace: NAMESPACE });
  services.store.onChange(({ object }) => {
    const { name } = object.metadata;
    if (!toldAt.has(name) && (isServed(object) || isNamed(object))) toldAt.set(name, performance.now());
  });
  services.start();
  await services.synced;
  const operator = OperatorProcess.start(cluster.kubeconfig, ['--namespace', SYSTEM]);
  await operator.ready();

  const create = async (name: string, annotations: Record<string, string> = {}) => {
    await client.create(SERVICES, {
      metadata: { name, namespace: NAMESPACE, annotations },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: `fairlead.dev/${PROVIDER}`,
        ports: [{ name: 'http', port: 80 }],
      },
    });
    return performance.now();
  };
  const createFaulty = (name: string) => create(name, { 'fairlead.dev/address': TAKEN });
  const told = async (name: string) => {
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      const at = toldAt.get(name);
      if (at !== undefined) return at;
      if (performance.now() > deadline) throw new Error(`nothing was told of ${name}`);
      await sleep(5);
    }
  };
  const remove = async (name: string) => {
    await client.delete(SERVICES, NAMESPACE, name);
    while ([...services.store.list()].some(({ metadata }) => metadata.name === name)) await sleep(20);
  };

  // All at once, the faulty one in the middle of them.
  const good = Array.from({ length: SERVICES_COUNT - 1 }, (_, index) => `web-${index}`);
  const middle = Math.floor(good.length / 2);
  const startedAt = performance.now();
  let faultyAt = 0;
  for (const [index, name] of good.entries()) {
    if (index === middle) faultyAt = await createFaulty('faulty');
    await create(name);
  }
  const atOnceMs = (await told('faulty')) - faultyAt;
  const servedAt = Math.max(...(await Promise.all(good.map(told))));
  await remove('faulty');

  const beside: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const name = `faulty-${turn}`;
    const since = await createFaulty(name);
    beside.push((await told(name)) - since);
    await remove(name);
  }
  const others = peer.unit.configuration.list('ltm/virtual').length - 1;
  if (others !== good.length) throw new Error(`${others} of ${good.length} others are served`);
  await operator.kill();
  await services.stop();
  await peer.stop();
  await cluster.stop();
  const what = perApp ? 'an application alone' : 'whole tenants';
  return [
    {
      what: `${what}: named beside ${good.length} that are served, ${TURNS} times: p50`,
      value: percentile(beside, 0.5),
      unit: 'ms',
      bar: BAR_MS,
    },
    { what: `${what}: the slowest of them`, value: Math.max(...beside), unit: 'ms', bar: BAR_MS },
    { what: `${what}: named when all come at once`, value: atOnceMs, unit: 'ms' },
    { what: `${what}: all at once: the others served`, value: (servedAt - startedAt) / 1_000, unit: 's' },
  ];
}

function isServed({ status }: Service): boolean {
  return (status?.loadBalancer?.ingress?.length ?? 0) > 0;
}

function isNamed({ status }: Service): boolean {
  const condition = findCondition(status?.conditions, SERVICE_CONDITION);
  return condition?.reason === 'SyncFailed' && condition.message.includes('/Common/theirs');
}
