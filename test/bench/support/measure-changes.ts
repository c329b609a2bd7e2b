import { setTimeout as sleep } from 'node:timers/promises';
import type { KernelMonitor } from './kernel-monitor.ts';
import { cpuSeconds } from './process-figures.ts';
import type { ServiceProxy } from './proxies.ts';
import { type ServiceLoad, serviceName } from './service-load.ts';

/** The kernel never got a change. */
export class ChangeLost extends Error {}

const LONGEST_WAIT_MS = 120_000;

export interface ChangeFigures {
  /** ms, in order. */
  latencies: number[];
  /** CPU time of the proxy and its children for one change, ms. */
  cpuMs: number;
}

/** What every measurement of changes needs. */
export interface ChangeContext {
  proxy: ServiceProxy;
  pid: number;
  load: ServiceLoad;
  monitor: KernelMonitor;
}

/** Gives one Service after the other an endpoint that none had before; waits for each, and lets the proxy rest. */
export async function measureChanges(context: ChangeContext, count: number): Promise<ChangeFigures> {
  const { proxy, load } = context;
  return await measureOneByOne(context, count, (turn) => {
    const index = (turn * 7919 + 1) % load.size.services;
    const address = load.newAddress();
    return {
      token: proxy.token(serviceName(index), address),
      change: () => load.changeEndpoint(index, address),
    };
  });
}

/** Adds Services whose endpoints are there already, and takes them away again. */
export async function measureAdditions(context: ChangeContext, count: number): Promise<ChangeFigures> {
  const { proxy, load } = context;
  const names = Array.from({ length: count }, (_, turn) => `added-${turn}`);
  const addresses = names.map(() => Array.from({ length: load.size.endpoints }, () => load.newAddress()));
  for (const [turn, name] of names.entries()) await load.prepareService(name, addresses[turn] ?? []);
  await sleep(proxy.restMs);
  const figures = await measureOneByOne(context, count, (turn) => {
    const name = names[turn] ?? '';
    return { token: proxy.token(name, addresses[turn]?.[0] ?? ''), change: () => load.addService(name) };
  });
  for (const name of names) await load.removeService(name);
  return figures;
}

async function measureOneByOne(
  { proxy, pid, monitor }: ChangeContext,
  count: number,
  next: (turn: number) => { token: string; change: () => Promise<void> },
): Promise<ChangeFigures> {
  const latencies: number[] = [];
  const cpuBefore = cpuSeconds(pid);
  for (let turn = 0; turn < count; turn++) {
    const { token, change } = next(turn);
    const seen = monitor.waitFor(token, LONGEST_WAIT_MS);
    const startedAt = performance.now();
    const [seenAt] = await Promise.all([seen, change()]);
    if (seenAt === undefined) throw new ChangeLost(explainLoss(proxy, token, monitor));
    latencies.push(seenAt - startedAt);
    await sleep(proxy.restMs);
  }
  return { latencies, cpuMs: ((cpuSeconds(pid) - cpuBefore) * 1000) / count };
}

/** Whether it was the proxy or the looking on that failed. */
function explainLoss(proxy: ServiceProxy, token: string, { trouble }: KernelMonitor): string {
  const isThere = proxy.node.run('nft', 'list', 'ruleset').includes(token);
  const what = isThere ? `${token} is in the kernel, but nobody told` : `the kernel never got ${token}`;
  return [`${proxy.title}: ${what}`, ...(trouble === null ? [] : [trouble])].join('; ');
}
