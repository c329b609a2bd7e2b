/**
 * How soon Services and their changes are in the kernel, of the agent and of real kube-proxy side by side: same API server,
 * same objects, same machine, one after the other, each in a network namespace of its own. Everything is real and shares
 * this machine's cores: etcd, kube-apiserver, the proxy, `nft monitor` that looks on, and this client.
 *
 * BENCH_SIZES=1000x2,... BENCH_PROXIES=fairlead,nftables,iptables BENCH_STARTS, BENCH_CHANGES, BENCH_STORM_SECONDS, BENCH_REPORT
 */
import type { ControlPlane } from '../controlplane/control-plane.ts';
import { startBenchCluster } from './support/bench-cluster.ts';
import { BenchNode } from './support/bench-node.ts';
import { type Effort, measureProxy, type ProxyFigures } from './support/measure-proxy.ts';
import { createProxy, PROXY_NAMES, type ProxyName } from './support/proxies.ts';
import { reportControlPath } from './support/report-control-path.ts';
import { describeSize, type LoadSize, ServiceLoad } from './support/service-load.ts';

const SIZES = readSizes(process.env.BENCH_SIZES ?? '1000x2,10000x2,10000x5,50000x5');
const PROXIES = PROXY_NAMES.filter((name) =>
  (process.env.BENCH_PROXIES ?? PROXY_NAMES.join()).includes(name),
);
const STARTS = Number(process.env.BENCH_STARTS ?? 3);
const CHANGES = Number(process.env.BENCH_CHANGES ?? 120);
/** Name of the tables in bench/results: a run of some sizes needn't take the place of another. */
const REPORT = process.env.BENCH_REPORT ?? 'control-path';
const STORM_SECONDS = Number(process.env.BENCH_STORM_SECONDS ?? 60);
/** Above this only the agent is measured. */
const MOST_SERVICES_SIDE_BY_SIDE = 10_000;

const node = new BenchNode(1);
const cluster = await startBenchCluster([node]);
try {
  process.exitCode = (await run(cluster)) ? 0 : 1;
} finally {
  await cluster.stop();
}
process.exit();

async function run(cluster: ControlPlane): Promise<boolean> {
  const load = new ServiceLoad(cluster.adminClient(), cluster.etcdUrl);
  const results: { size: LoadSize; proxy: ProxyName; figures: ProxyFigures | string }[] = [];
  for (const size of SIZES) {
    say(`making ${describeSize(size)} endpoints`);
    await load.grow(size);
    for (const name of PROXIES) {
      if (name !== 'fairlead' && size.services > MOST_SERVICES_SIDE_BY_SIDE) continue;
      const proxy = await createProxy(name, node, cluster.kubeconfig);
      say(`measuring ${proxy.title} at ${describeSize(size)}`);
      const figures = await measureProxy(proxy, load, effortFor(name)).catch((error: unknown) =>
        error instanceof Error ? error.message : String(error),
      );
      if (typeof figures === 'string') say(figures);
      results.push({ size, proxy: name, figures });
    }
  }
  const held = await reportControlPath(results, {
    name: REPORT,
    starts: STARTS,
    stormSeconds: STORM_SECONDS,
  });
  return held && results.every(({ proxy, figures }) => proxy !== 'fairlead' || typeof figures !== 'string');
}

/** kube-proxy takes seconds for what takes us milliseconds: fewer turns of it tell as much. */
function effortFor(name: ProxyName): Effort {
  const storm = { stormPerSecond: 100, stormSeconds: STORM_SECONDS };
  if (name === 'fairlead') return { starts: STARTS, changes: CHANGES, additions: 20, ...storm };
  if (name === 'nftables') return { starts: STARTS, changes: Math.ceil(CHANGES / 6), additions: 5, ...storm };
  return { starts: 1, changes: Math.ceil(CHANGES / 15), additions: 3, ...storm };
}

function readSizes(text: string): LoadSize[] {
  return text.split(',').map((each) => {
    const [services = Number.NaN, endpoints = Number.NaN] = each.split('x').map(Number);
    if (Number.isInteger(services) && Number.isInteger(endpoints)) return { services, endpoints };
    throw new Error(`BENCH_SIZES: ${each} is no size such as 1000x2`);
  });
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
