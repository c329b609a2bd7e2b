import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * CPU time that a process has used, s: utime and stime of proc(5), in ticks of 10 ms; with its children, those that ended
 * and those that run.
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / 100;
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsIfThere(child), own);
}

function cpuSecondsIfThere(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    // It ended: its time is its parent's now, and counted at the next look.
    return 0;
  }
}

/** Resident memory now, and the most it ever was, MiB. */
export function memoryMiB(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string) =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

const SAMPLE_MS = 50;

/** The most resident memory that a process and its children (nft) ever had together, MiB, as seen every 50 ms. */
export function watchTreeMemory(pid: number): { stop(): number } {
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, treeMemory(pid));
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(peak);
    },
  };
}

function treeMemory(pid: number): number {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    const program = readlinkSync(`/proc/${pid}/exe`);
    return childrenOf(pid).reduce((sum, child) => sum + ownTreeMemory(child, program), Number(pages) / 256);
  } catch {
    // It ended while it was looked at.
    return 0;
  }
}

/** A child that hasn't become another program yet shares the memory of its parent. */
function ownTreeMemory(pid: number, parentProgram: string): number {
  return readlinkSync(`/proc/${pid}/exe`) === parentProgram ? 0 : treeMemory(pid);
}

/** Of all threads: Go starts processes from any of them. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** The load of the machine over the last minute. */
export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '';
}
