import { setTimeout as sleep } from 'node:timers/promises';
import { KernelMonitor } from './kernel-monitor.ts';
import { type ChangeFigures, measureAdditions, measureChanges } from './measure-changes.ts';
import { measureStorm, type StormFigures } from './measure-storm.ts';
import { cpuSeconds, loadAverage, memoryMiB, watchTreeMemory } from './process-figures.ts';
import type { ServiceProxy } from './proxies.ts';
import { RunningProxy, type StartFigures } from './running-proxy.ts';
import type { ServiceLoad } from './service-load.ts';

export interface Effort {
  /** Cold starts, each on a new node. */
  starts: number;
  /** Changes and additions one by one. */
  changes: number;
  additions: number;
  stormPerSecond: number;
  stormSeconds: number;
}

/** All that is measured of one proxy at one size. Memory in MiB. */
export interface ProxyFigures {
  starts: StartFigures[];
  memoryAfterStart: number;
  changes: ChangeFigures;
  additions: ChangeFigures;
  storm: StormFigures;
  /** CPU of the process when nothing happens, as a share of a core. */
  idleCpuShare: number;
  /** The process alone, at any time. */
  peakMemory: number;
  /** With its children (nft, iptables). */
  peakTreeMemory: number;
  /** Load of the machine before the first start. */
  loadBefore: string;
}

const IDLE_MS = 10_000;

/** Measures a proxy alone on a new node. Throws what tells why it can't be measured. */
export async function measureProxy(
  proxy: ServiceProxy,
  load: ServiceLoad,
  effort: Effort,
): Promise<ProxyFigures> {
  const loadBefore = loadAverage();
  const starts: StartFigures[] = [];
  for (let turn = 1; ; turn++) {
    proxy.node.make();
    let running: RunningProxy | undefined;
    try {
      running = await RunningProxy.start(proxy, load.sentinels);
      starts.push(running.start);
      checkWhole(proxy, load);
      if (turn === effort.starts) {
        return { loadBefore, starts, ...(await measureRunning(proxy, running, load, effort)) };
      }
    } finally {
      await running?.stop();
      proxy.node.remove();
    }
  }
}

async function measureRunning(proxy: ServiceProxy, { pid }: RunningProxy, load: ServiceLoad, effort: Effort) {
  const memoryAfterStart = memoryMiB(pid).now;
  const tree = watchTreeMemory(pid);
  const monitor = await KernelMonitor.start(proxy.node, proxy.tokens);
  try {
    const context = { proxy, pid, load, monitor };
    // What it first does after a start isn't what it does from then on.
    await measureChanges(context, 3);
    const changes = await measureChanges(context, effort.changes);
    const additions = await measureAdditions(context, effort.additions);
    await sleep(proxy.restMs);
    const storm = await measureStorm(context, effort.stormPerSecond, effort.stormSeconds);
    await sleep(proxy.restMs);
    const idleBefore = cpuSeconds(pid);
    await sleep(IDLE_MS);
    const idleCpuShare = ((cpuSeconds(pid) - idleBefore) * 1000) / IDLE_MS;
    const peakMemory = memoryMiB(pid).peak;
    return {
      memoryAfterStart,
      changes,
      additions,
      storm,
      idleCpuShare,
      peakMemory,
      peakTreeMemory: tree.stop(),
    };
  } finally {
    tree.stop();
    monitor.stop();
  }
}

/** One transaction holds everything: when sentinels are served, so are all. */
function checkWhole(proxy: ServiceProxy, load: ServiceLoad): void {
  const found = proxy.countServices();
  const least = load.size.services + load.sentinels.length;
  if (found < least) throw new Error(`${proxy.title}: only ${found} of ${least} Services are in the kernel`);
}
