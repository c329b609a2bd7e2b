import { setTimeout as sleep } from 'node:timers/promises';
import { KernelMonitor } from './kernel-monitor.ts';
import { cpuSeconds, loadAverage, watchTreeMemory } from './process-figures.ts';
import type { ServiceProxy } from './proxies.ts';
import { RunningProxy } from './running-proxy.ts';
import { ENDPOINT_PORT, type ServiceLoad } from './service-load.ts';
import type { StickyLoad } from './sticky-load.ts';

export interface AffinityEffort {
  /** Changes a second, and for how long. */
  perSecond: number;
  seconds: number;
}

export interface AffinityFigures {
  /** ms, of all changes that the kernel got. */
  latencies: number[];
  /** Changes that it never got. */
  missing: number;
  /** In the kernel: before the changes, right after them, and after a rest. */
  chains: { before: number; after: number; rested: number };
  /** Of one core, with nft, while changes came. */
  cpuShare: number;
  /** With its children, MiB. */
  peakTreeMemory: number;
  loadBefore: string;
}

const LONGEST_DRAIN_MS = 60_000;
const REST_MS = 10_000;
/** As an endpoint is written in the rule that leads there, of both proxies: `10.200.0.9:8080`. */
const TARGET = new RegExp(`\\d+\\.\\d+\\.\\d+\\.\\d+:${ENDPOINT_PORT}\\b`, 'g');

/** Endpoints of one Service with affinity change at an even rate, each another one; on a new node. */
export async function measureAffinity(
  proxy: ServiceProxy,
  load: ServiceLoad,
  sticky: StickyLoad,
  effort: AffinityEffort,
): Promise<AffinityFigures> {
  const loadBefore = loadAverage();
  proxy.node.make();
  let running: RunningProxy | undefined;
  try {
    running = await RunningProxy.start(proxy, load.sentinels);
    return { loadBefore, ...(await measureRunning(proxy, running, load, sticky, effort)) };
  } finally {
    await running?.stop();
    proxy.node.remove();
  }
}

async function measureRunning(
  proxy: ServiceProxy,
  { pid }: RunningProxy,
  load: ServiceLoad,
  sticky: StickyLoad,
  { perSecond, seconds }: AffinityEffort,
): Promise<Omit<AffinityFigures, 'loadBefore'>> {
  const memory = watchTreeMemory(pid);
  const monitor = await KernelMonitor.start(proxy.node, (line) => line.match(TARGET) ?? []);
  try {
    const before = countChains(proxy);
    const latencies: number[] = [];
    const start = async (turn: number) => {
      const address = load.newAddress();
      const startedAt = performance.now();
      monitor.once(`${address}:${ENDPOINT_PORT}`, (at) => latencies.push(at - startedAt));
      await sticky.change(turn, address);
    };
    const cpuBefore = cpuSeconds(pid);
    const startedAt = performance.now();
    const changes: Promise<void>[] = [];
    for (const count = perSecond * seconds; changes.length < count; ) {
      changes.push(start(changes.length));
      await sleep(Math.max(0, startedAt + (changes.length * 1000) / perSecond - performance.now()));
    }
    await Promise.all(changes);
    const cpuShare = ((cpuSeconds(pid) - cpuBefore) * 1000) / (performance.now() - startedAt);
    const after = countChains(proxy);
    const deadline = performance.now() + LONGEST_DRAIN_MS;
    while (latencies.length < changes.length && performance.now() < deadline) await sleep(50);
    const missing = changes.length - latencies.length;
    await sleep(REST_MS);
    const chains = { before, after, rested: countChains(proxy) };
    return { latencies, missing, chains, cpuShare, peakTreeMemory: memory.stop() };
  } finally {
    memory.stop();
    monitor.stop();
  }
}

/** Of IPv4. The node is the proxy's alone. */
function countChains({ node }: ServiceProxy): number {
  return node.run('nft', 'list', 'chains', 'ip').match(/^\tchain /gm)?.length ?? 0;
}
