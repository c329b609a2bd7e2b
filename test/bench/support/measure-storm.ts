import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeContext } from './measure-changes.ts';
import { cpuSeconds, memoryMiB } from './process-figures.ts';
import { serviceName } from './service-load.ts';

/** How long after the last change the kernel may get it. */
const LONGEST_DRAIN_MS = 120_000;

export interface StormFigures {
  /** ms, of all changes that the kernel got. */
  latencies: number[];
  /** Changes that it had not got in the end. */
  missing: number;
  /** Of one core, while changes came. */
  cpuShare: number;
  /** Changes a second that really were made. */
  rate: number;
  memoryMiB: number;
}

interface Change {
  startedAt: number;
  token: string;
}

/** Changes endpoints at an even rate, of one Service after the other. A later change of the same Service stands for an earlier. */
export async function measureStorm(
  { proxy, pid, load, monitor }: ChangeContext,
  perSecond: number,
  seconds: number,
): Promise<StormFigures> {
  const waiting = new Map<number, Change[]>();
  const latencies: number[] = [];
  const seen = (index: number, change: Change, at: number) => {
    const changes = waiting.get(index) ?? [];
    const done = changes.splice(0, changes.indexOf(change) + 1);
    if (changes.length === 0) waiting.delete(index);
    for (const each of done) {
      monitor.forget(each.token);
      latencies.push(at - each.startedAt);
    }
  };
  const start = async (turn: number) => {
    const index = (turn * 7919 + 3) % load.size.services;
    const address = load.newAddress();
    const change = { startedAt: performance.now(), token: proxy.token(serviceName(index), address) };
    waiting.set(index, [...(waiting.get(index) ?? []), change]);
    monitor.once(change.token, (at) => seen(index, change, at));
    await load.changeEndpoint(index, address);
  };

  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const changes: Promise<void>[] = [];
  const count = perSecond * seconds;
  while (changes.length < count) {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1000);
    while (changes.length < Math.min(due, count)) changes.push(start(changes.length));
    await sleep(1);
  }
  await Promise.all(changes);
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  const cpuShare = (cpuSeconds(pid) - cpuBefore) / elapsedSeconds;
  const deadline = performance.now() + LONGEST_DRAIN_MS;
  while (waiting.size > 0 && performance.now() < deadline) await sleep(50);
  const missing = [...waiting.values()].reduce((sum, each) => sum + each.length, 0);
  return { latencies, missing, cpuShare, rate: count / elapsedSeconds, memoryMiB: memoryMiB(pid).now };
}
