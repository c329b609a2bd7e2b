/**
 * What connections through a Service cost: new ones a second and throughput, through a ClusterIP and a NodePort, on nodes of
 * the agent, of kube-proxy and of no proxy at all (straight to an endpoint), which take turns. Client, node and servers are
 * network namespaces of this machine.
 *
 * BENCH_DATA_SIZES=10,10000 BENCH_ROUNDS=5 BENCH_WRK_SECONDS=3
 */
import type { ControlPlane } from '../controlplane/control-plane.ts';
import { startBenchCluster } from './support/bench-cluster.ts';
import { DataPlane, SERVERS } from './support/data-plane.ts';
import { loadAverage } from './support/process-figures.ts';
import { createProxy } from './support/proxies.ts';
import {
  type DataPathResult,
  LOADS,
  PATHS,
  type Path,
  reportDataPath,
  SIDES,
  type Side,
} from './support/report-data-path.ts';
import { RunningProxy } from './support/running-proxy.ts';
import { ENDPOINT_PORT, ServiceLoad } from './support/service-load.ts';

const SIZES = (process.env.BENCH_DATA_SIZES ?? '10,10000').split(',').map(Number);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ENDPOINTS = 2;

const planes: Record<Side, DataPlane> = {
  fairlead: new DataPlane(1),
  nftables: new DataPlane(2),
  none: new DataPlane(3),
};
const cluster = await startBenchCluster(SIDES.map((side) => planes[side].node));
try {
  process.exitCode = (await run(cluster)) ? 0 : 1;
} finally {
  await cluster.stop();
}
process.exit();

async function run(cluster: ControlPlane): Promise<boolean> {
  const load = new ServiceLoad(cluster.adminClient());
  let target: Target | undefined;
  const results: DataPathResult[] = [];
  for (const services of SIZES) {
    process.stderr.write(`making ${services} Services\n`);
    await load.grow({ services, endpoints: ENDPOINTS });
    target ??= await load.addTarget('web', SERVERS);
    const loadBefore = loadAverage();
    const running = await startAll(cluster, load);
    try {
      results.push({ services, loadBefore, samples: await measure(services, target) });
    } finally {
      for (const proxy of running) await proxy.stop();
      for (const side of SIDES) planes[side].remove();
    }
  }
  return await reportDataPath(results, ROUNDS);
}

async function startAll(cluster: ControlPlane, load: ServiceLoad): Promise<RunningProxy[]> {
  const running: RunningProxy[] = [];
  for (const side of SIDES) {
    await planes[side].make(cluster.dir);
    if (side === 'none') continue;
    const proxy = await createProxy(side, planes[side].node, cluster.kubeconfig);
    running.push(await RunningProxy.start(proxy, load.sentinels));
  }
  return running;
}

interface Target {
  clusterIp: string;
  nodePort: number;
}

/** Sides take turns, and each round begins with another one: what disturbs the machine disturbs all of them. */
async function measure(services: number, target: Target): Promise<DataPathResult['samples']> {
  const samples: DataPathResult['samples'] = [];
  for (let round = -1; round < ROUNDS; round++) {
    for (const path of PATHS) {
      for (const load of LOADS) {
        for (let turn = 0; turn < SIDES.length; turn++) {
          const side = SIDES[(round + 1 + turn) % SIDES.length];
          if (side === undefined) continue;
          const figures = await planes[side].load(addressOf(side, path, target), load);
          // The first round warms up.
          if (round >= 0) samples.push({ side, path, load, figures });
        }
      }
    }
    process.stderr.write(`${services} Services: round ${round + 1} of ${ROUNDS}\n`);
  }
  return samples;
}

function addressOf(side: Side, path: Path, { clusterIp, nodePort }: Target): string {
  if (side === 'none') return `${SERVERS[0]}:${ENDPOINT_PORT}`;
  return path === 'ClusterIP' ? `${clusterIp}:80` : `${planes[side].node.address}:${nodePort}`;
}
