import { execFileSync } from 'node:child_process';
import { KUBERNETES_VERSION } from '../../controlplane/build-programs.ts';
import { type BenchRow, type Comparison, percentile, writeReport } from '../report.ts';
import type { ProxyFigures } from './measure-proxy.ts';
import type { ProxyName } from './proxies.ts';
import { describeSize, type LoadSize } from './service-load.ts';

export interface ControlPathResult {
  size: LoadSize;
  proxy: ProxyName;
  /** Or why there are none. */
  figures: ProxyFigures | string;
}

interface Figure {
  what: string;
  unit: string;
  read: (figures: ProxyFigures) => number;
}

const FIGURES: readonly Figure[] = [
  {
    what: 'cold start, median',
    unit: 's',
    read: ({ starts }) => median(starts.map((each) => each.startMs)) / 1000,
  },
  {
    what: 'cold start: slowest health answer',
    unit: 'ms',
    read: ({ starts }) => Math.max(...starts.map((each) => each.slowestHealthMs)),
  },
  { what: 'one-endpoint change: p50', unit: 'ms', read: ({ changes }) => percentile(changes.latencies, 0.5) },
  {
    what: 'one-endpoint change: p99',
    unit: 'ms',
    read: ({ changes }) => percentile(changes.latencies, 0.99),
  },
  { what: 'one-endpoint change: CPU', unit: 'ms', read: ({ changes }) => changes.cpuMs },
  {
    what: 'one Service more: p50',
    unit: 'ms',
    read: ({ additions }) => percentile(additions.latencies, 0.5),
  },
  { what: '100 changes/s: p50', unit: 'ms', read: ({ storm }) => percentile(storm.latencies, 0.5) },
  { what: '100 changes/s: p99', unit: 'ms', read: ({ storm }) => percentile(storm.latencies, 0.99) },
  { what: '100 changes/s: CPU of one core', unit: '%', read: ({ storm }) => storm.cpuShare * 100 },
  { what: '100 changes/s: memory at the end', unit: 'MiB', read: ({ storm }) => storm.memoryMiB },
  { what: '100 changes/s: never seen in the kernel', unit: '', read: ({ storm }) => storm.missing },
  { what: 'CPU at rest', unit: '%', read: ({ idleCpuShare }) => idleCpuShare * 100 },
  { what: 'memory after the start', unit: 'MiB', read: ({ memoryAfterStart }) => memoryAfterStart },
  { what: 'memory at its peak', unit: 'MiB', read: ({ peakMemory }) => peakMemory },
  { what: 'memory at its peak, with nft and the like', unit: 'MiB', read: peakWithChildren },
];

const COLUMNS: Record<ProxyName, string> = {
  fairlead: 'Fairlead',
  nftables: 'kube-proxy, nftables',
  iptables: 'kube-proxy, iptables',
};

/** Writes the tables, and judges; answers whether every bar was held. */
export async function reportControlPath(
  results: readonly ControlPathResult[],
  settings: { name: string; starts: number; stormSeconds: number },
): Promise<boolean> {
  const sizes = [...new Set(results.map(({ size }) => describeSize(size)))];
  const comparisons = sizes.map((size) =>
    compare(
      size,
      results.filter((each) => describeSize(each.size) === size),
    ),
  );
  const rows = judge((services, endpoints, proxy) => {
    const found = results.find(
      (each) => each.proxy === proxy && each.size.services === services && each.size.endpoints === endpoints,
    );
    return typeof found?.figures === 'string' ? undefined : found?.figures;
  });
  return await writeReport({
    name: settings.name,
    title: 'From the API server to the kernel: the agent and kube-proxy side by side',
    comparisons,
    rows,
    notes: {
      'kube-proxy': KUBERNETES_VERSION,
      nft: execFileSync('nft', ['-v']).toString().trim(),
      iptables: execFileSync('iptables', ['-V']).toString().trim(),
      'cold starts each': `${settings.starts} (iptables 1), each in a new network namespace`,
      '100 changes/s': `for ${settings.stormSeconds} s`,
      'load average before each': results
        .map(({ figures }) => (typeof figures === 'string' ? '' : figures.loadBefore))
        .join(' '),
      ...Object.fromEntries(
        results.flatMap(({ size, proxy, figures }) =>
          typeof figures === 'string' ? [[`${COLUMNS[proxy]} at ${describeSize(size)}`, figures]] : [],
        ),
      ),
    },
  });
}

function compare(size: string, results: readonly ControlPathResult[]): Comparison {
  return {
    title: `${size} endpoints`,
    columns: results.map(({ proxy }) => COLUMNS[proxy]),
    rows: FIGURES.map(({ what, unit, read }) => ({
      what,
      unit,
      cells: results.map(({ figures }) => (typeof figures === 'string' ? null : read(figures))),
    })),
  };
}

type Find = (services: number, endpoints: number, proxy: ProxyName) => ProxyFigures | undefined;

/** What must hold. Rows of sizes that were not measured are left out. */
function judge(find: Find): BenchRow[] {
  const ours = (services: number, endpoints: number) => find(services, endpoints, 'fairlead');
  const theirs = (services: number, endpoints: number) => find(services, endpoints, 'nftables');
  return [
    ...ratio(
      'one-endpoint change at 10,000 x 2, p50: kube-proxy / Fairlead',
      theirs(10_000, 2),
      ours(10_000, 2),
      {
        read: ({ changes }) => percentile(changes.latencies, 0.5),
        least: 50,
      },
    ),
    ...ratio(
      'one-endpoint change at 10,000 x 2, p99: kube-proxy / Fairlead',
      theirs(10_000, 2),
      ours(10_000, 2),
      {
        read: ({ changes }) => percentile(changes.latencies, 0.99),
        least: 50,
      },
    ),
    ...ratio('cold start at 10,000 x 5: kube-proxy / Fairlead', theirs(10_000, 5), ours(10_000, 5), {
      read: ({ starts }) => median(starts.map((each) => each.startMs)),
      least: 5,
    }),
    ...ratio('one-endpoint change, p50: 50,000 x 5 / 1,000 x 2', ours(50_000, 5), ours(1_000, 2), {
      read: ({ changes }) => percentile(changes.latencies, 0.5),
      bar: 1.5,
    }),
    // One by one, the audit's share would count as that of the few changes within the same time.
    ...ratio('100 changes/s, CPU: 50,000 x 5 / 1,000 x 2', ours(50_000, 5), ours(1_000, 2), {
      read: ({ storm }) => storm.cpuShare,
      bar: 1.5,
    }),
    ...ratio('memory at its peak at 10,000 x 5: Fairlead / kube-proxy', ours(10_000, 5), theirs(10_000, 5), {
      read: ({ peakMemory }) => peakMemory,
      bar: 1,
    }),
    ...ratio('the same, with nft', ours(10_000, 5), theirs(10_000, 5), { read: peakWithChildren, bar: 1 }),
    ...one('100 changes/s at 10,000 x 2: CPU of one core', '%', ours(10_000, 2), {
      read: ({ storm }) => storm.cpuShare * 100,
      bar: 50,
    }),
    ...one('full load of 50,000 x 5: slowest health answer', 'ms', ours(50_000, 5), {
      read: ({ starts }) => Math.max(...starts.map((each) => each.slowestHealthMs)),
      bar: 100,
    }),
  ];
}

interface Judgement {
  read: (figures: ProxyFigures) => number;
  bar?: number;
  least?: number;
}

function ratio(
  what: string,
  above: ProxyFigures | undefined,
  below: ProxyFigures | undefined,
  { read, ...bars }: Judgement,
): BenchRow[] {
  if (above === undefined || below === undefined) return [];
  return [{ what, value: read(above) / read(below), unit: 'x', ...bars }];
}

function one(
  what: string,
  unit: string,
  figures: ProxyFigures | undefined,
  { read, ...bars }: Judgement,
): BenchRow[] {
  return figures === undefined ? [] : [{ what, value: read(figures), unit, ...bars }];
}

function peakWithChildren({ peakTreeMemory, starts }: ProxyFigures): number {
  return Math.max(peakTreeMemory, ...starts.map(({ treeMemory }) => treeMemory));
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
