/**
 * What it costs that endpoints of one large Service with session affinity come and go: how soon each change is in the
 * kernel, and what stays behind there. Of the agent and of real kube-proxy, one after the other, as in control-path.ts.
 *
 * BENCH_AFFINITY_ENDPOINTS, BENCH_AFFINITY_SECONDS, BENCH_AFFINITY_PROXIES=fairlead,nftables
 */
import { KUBERNETES_VERSION } from '../controlplane/build-programs.ts';
import { percentile, writeReport } from './report.ts';
import { startBenchCluster } from './support/bench-cluster.ts';
import { BenchNode } from './support/bench-node.ts';
import { type AffinityFigures, measureAffinity } from './support/measure-affinity.ts';
import { createProxy, PROXY_NAMES, type ServiceProxy } from './support/proxies.ts';
import { ServiceLoad } from './support/service-load.ts';
import { StickyLoad } from './support/sticky-load.ts';

const ENDPOINTS = Number(process.env.BENCH_AFFINITY_ENDPOINTS ?? 1_000);
const SECONDS = Number(process.env.BENCH_AFFINITY_SECONDS ?? 60);
const PROXIES = (process.env.BENCH_AFFINITY_PROXIES ?? 'fairlead,nftables').split(',');
const PER_SECOND = 3;
const OTHERS = { services: 100, endpoints: 2 };

const ROWS: readonly { what: string; unit: string; read: (figures: AffinityFigures) => number }[] = [
  { what: 'change of an endpoint: p50', unit: 'ms', read: ({ latencies }) => percentile(latencies, 0.5) },
  { what: 'change of an endpoint: p99', unit: 'ms', read: ({ latencies }) => percentile(latencies, 0.99) },
  { what: 'changes never seen in the kernel', unit: '', read: ({ missing }) => missing },
  { what: 'chains before the changes', unit: '', read: ({ chains }) => chains.before },
  { what: 'chains right after the last change', unit: '', read: ({ chains }) => chains.after },
  { what: 'chains ten seconds later', unit: '', read: ({ chains }) => chains.rested },
  { what: 'CPU of one core', unit: '%', read: ({ cpuShare }) => cpuShare * 100 },
  { what: 'memory at its peak, with nft', unit: 'MiB', read: ({ peakTreeMemory }) => peakTreeMemory },
];

const node = new BenchNode(1);
const cluster = await startBenchCluster([node]);
let held = false;
try {
  const client = cluster.adminClient();
  const load = new ServiceLoad(client);
  await load.grow(OTHERS);
  const sticky = new StickyLoad(client, () => load.newAddress());
  await sticky.make(ENDPOINTS);
  const results: { proxy: ServiceProxy; figures: AffinityFigures }[] = [];
  for (const name of PROXY_NAMES.filter((each) => PROXIES.includes(each))) {
    const proxy = await createProxy(name, node, cluster.kubeconfig);
    const figures = await measureAffinity(proxy, load, sticky, { perSecond: PER_SECOND, seconds: SECONDS });
    results.push({ proxy, figures });
  }
  held = await report(results);
} finally {
  await cluster.stop();
}
process.exit(held ? 0 : 1);

function report(results: readonly { proxy: ServiceProxy; figures: AffinityFigures }[]): Promise<boolean> {
  const ours = results.find(({ proxy }) => proxy.name === 'fairlead')?.figures;
  return writeReport({
    name: 'affinity',
    title: `A Service with session affinity and ${ENDPOINTS.toLocaleString('en')} endpoints, of which ${PER_SECOND} change each second`,
    comparisons: [
      {
        title: `${PER_SECOND} changes a second for ${SECONDS} s`,
        columns: results.map(({ proxy }) => proxy.title),
        rows: ROWS.map(({ what, unit, read }) => ({
          what,
          unit,
          cells: results.map(({ figures }) => read(figures)),
        })),
      },
    ],
    rows:
      ours === undefined
        ? []
        : [
            { what: 'changes that the kernel never got', value: ours.missing, unit: '', bar: 0 },
            {
              what: 'chains ten seconds after the last change, to those before the first',
              value: ours.chains.rested / ours.chains.before,
              unit: 'x',
              // Which endpoints go together differs; a part or two may be empty.
              bar: 1.01,
            },
          ],
    notes: {
      'kube-proxy': `${KUBERNETES_VERSION}; a second passes between two of its synchronisations, and is in its figures`,
      'other Services': `${OTHERS.services} x ${OTHERS.endpoints}`,
      'the Service':
        'of type NodePort; its EndpointSlices hold 100 endpoints each, one of which is exchanged by a change',
      'load average before each': results.map(({ figures }) => figures.loadBefore).join(' '),
    },
  });
}
