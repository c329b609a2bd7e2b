import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** New connections, each for one small answer; or large answers over connections that stay. */
export type WrkLoad = 'connections' | 'throughput';

export interface WrkFigures {
  requestsPerSecond: number;
  megabytesPerSecond: number;
}

const SECONDS = Number(process.env.BENCH_WRK_SECONDS ?? 3);
const OPTIONS: Record<WrkLoad, readonly string[]> = {
  connections: ['-c', '32', '-H', 'Connection: close'],
  throughput: ['-c', '8'],
};
const MEGABYTES: Readonly<Record<string, number>> = { B: 1e-6, KB: 1e-3, MB: 1, GB: 1e3 };

/** Throws when a connection failed: then the figure says nothing. */
export async function runWrk(prefix: readonly string[], url: string, load: WrkLoad): Promise<WrkFigures> {
  const [command = 'wrk', ...rest] = [
    ...prefix,
    'wrk',
    '-t',
    '1',
    '-d',
    `${SECONDS}s`,
    ...OPTIONS[load],
    url,
  ];
  const { stdout } = await promisify(execFile)(command, rest);
  const errors = /Socket errors:.*|Non-2xx.*/.exec(stdout)?.[0];
  const requests = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  const [, transfer, unit = ''] = /Transfer\/sec:\s+([\d.]+)([KMG]?B)/.exec(stdout) ?? [];
  const factor = MEGABYTES[unit];
  if (errors !== undefined || requests === undefined || transfer === undefined || factor === undefined) {
    throw new Error(`wrk ${url}: ${errors ?? stdout}`);
  }
  return { requestsPerSecond: Number(requests), megabytesPerSecond: Number(transfer) * factor };
}
