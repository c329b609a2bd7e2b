/**
 * Preloaded (`node --import`) into a process whose time is to go FAST_TIME times faster: clocks, timers and dates. What others
 * do (the kernel, the other end of a connection) goes at its own pace, so that to this process everybody is slow.
 */

import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';

const factor = Number(process.env.FAST_TIME);
if (!(factor >= 1)) throw new Error('FAST_TIME is how many times faster time goes');

const realNow = performance.now.bind(performance);
const startedAt = { now: realNow(), date: Date.now() };
const now = () => startedAt.now + (realNow() - startedAt.now) * factor;
const date = () => startedAt.date + (realNow() - startedAt.now) * factor;
performance.now = now;

const RealDate = Date;
class FastDate extends RealDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [date()] : args) as [number]));
  }
  static override now = () => Math.floor(date());
}
globalThis.Date = FastDate as DateConstructor;

const { setTimeout: realTimeout, setInterval: realInterval } = timers;
const faster = (ms: number | undefined) => (ms ?? 0) / factor;
const fastTimeout = Object.assign(
  (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    realTimeout(callback, faster(ms), ...args),
  { [Symbol.for('nodejs.util.promisify.custom')]: (ms?: number, value?: unknown) => sleep(ms, value) },
);
const fastInterval = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
  realInterval(callback, faster(ms), ...args);
const realSleep = timersPromises.setTimeout;
const sleep = <T>(ms?: number, value?: T, options?: Parameters<typeof realSleep>[2]) =>
  realSleep(faster(ms), value, options);

Object.assign(globalThis, { setTimeout: fastTimeout, setInterval: fastInterval });
Object.assign(timers, { setTimeout: fastTimeout, setInterval: fastInterval });
timersPromises.setTimeout = sleep;
syncBuiltinESMExports();
