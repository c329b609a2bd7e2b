import { execFileSync } from 'node:child_process';
import { KUBERNETES_VERSION } from '../../controlplane/build-programs.ts';
import { type BenchRow, type Comparison, percentile, writeReport } from '../report.ts';
import type { WrkFigures, WrkLoad } from './run-wrk.ts';

export const SIDES = ['fairlead', 'nftables', 'none'] as const;
export type Side = (typeof SIDES)[number];
export const PATHS = ['ClusterIP', 'NodePort'] as const;
export type Path = (typeof PATHS)[number];
export const LOADS: readonly WrkLoad[] = ['connections', 'throughput'];

export interface DataPathResult {
  services: number;
  loadBefore: string;
  samples: { side: Side; path: Path; load: WrkLoad; figures: WrkFigures }[];
}

const COLUMNS: Record<Side, string> = {
  fairlead: 'Fairlead',
  nftables: 'kube-proxy, nftables',
  none: 'no proxy',
};
const UNITS: Record<WrkLoad, string> = { connections: '/s', throughput: 'MB/s' };
const TITLES: Record<WrkLoad, string> = { connections: 'new connections', throughput: 'throughput' };
/** Figures that differ by more among themselves are no excuse. */
const MOST_NOISE = 0.05;

/** Writes the tables, and judges; answers whether every bar was held. */
export async function reportDataPath(results: readonly DataPathResult[], rounds: number): Promise<boolean> {
  return await writeReport({
    name: 'data-path',
    title: 'Connections through Services: the agent and kube-proxy side by side',
    comparisons: results.map(compare),
    rows: results.flatMap(judge),
    notes: {
      'kube-proxy': KUBERNETES_VERSION,
      rounds: `median of ${rounds}, in turns`,
      noise: `half of what lies between the least and the most of the rounds, of whichever varies more, at most ${MOST_NOISE * 100} %`,
      wrk: 'one core; the servers (haproxy) on the other',
      haproxy: execFileSync('haproxy', ['-v']).toString().split('\n')[0] ?? '',
      'load average before each': results.map(({ loadBefore }) => loadBefore).join(' '),
    },
  });
}

function compare(result: DataPathResult): Comparison {
  return {
    title: `${result.services.toLocaleString('en')} Services`,
    columns: SIDES.map((side) => COLUMNS[side]),
    rows: PATHS.flatMap((path) =>
      LOADS.flatMap((load) => [
        {
          what: `${path}: ${TITLES[load]}`,
          unit: UNITS[load],
          cells: SIDES.map((side) => median(valuesOf(result, side, path, load))),
        },
        {
          what: `${path}: ${TITLES[load]}, least to most`,
          unit: '%',
          cells: SIDES.map((side) => spread(valuesOf(result, side, path, load)) * 100),
        },
      ]),
    ),
  };
}

function judge(result: DataPathResult): BenchRow[] {
  return PATHS.flatMap((path) =>
    LOADS.map((load): BenchRow => {
      const ours = valuesOf(result, 'fairlead', path, load);
      const theirs = valuesOf(result, 'nftables', path, load);
      const noise = Math.min(MOST_NOISE, Math.max(spread(ours), spread(theirs)) / 2);
      return {
        what: `${TITLES[load]}, ${path}, ${result.services.toLocaleString('en')} Services: Fairlead / kube-proxy`,
        value: median(ours) / median(theirs),
        unit: 'x',
        least: Math.round((1 - noise) * 1000) / 1000,
      };
    }),
  );
}

function valuesOf({ samples }: DataPathResult, side: Side, path: Path, load: WrkLoad): number[] {
  return samples
    .filter((each) => each.side === side && each.path === path && each.load === load)
    .map(({ figures }) => (load === 'throughput' ? figures.megabytesPerSecond : figures.requestsPerSecond));
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}
