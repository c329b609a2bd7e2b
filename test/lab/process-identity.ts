import { readFileSync } from 'node:fs';

/** Which process is meant: its id, and its start time against reuse of the id. */
export interface ProcessRecord {
  pid: number;
  startTime: string;
}

/** The record of a process that runs now; its start time is empty when there is none. */
export function identify(pid: number): ProcessRecord {
  return { pid, startTime: statOf(pid)?.startTime ?? '' };
}

export function isAlive(record: ProcessRecord): boolean {
  const stat = statOf(record.pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === record.startTime;
}

/** State and start time (in ticks since boot) of a process: fields 3 and 22 of proc_pid_stat(5). */
function statOf(pid: number): { state: string; startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
