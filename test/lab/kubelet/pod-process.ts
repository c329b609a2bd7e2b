import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identify, isAlive, type ProcessRecord } from '../process-identity.ts';

export interface ProcessEnd {
  exitCode: number;
  signal?: NodeJS.Signals;
}

const POLL_MS = 100;
const UNKNOWN_EXIT = 137;

/** A container's process: it outlives the kubelet. */
export class PodProcess {
  readonly record: ProcessRecord;
  readonly ended: Promise<ProcessEnd>;

  private constructor(record: ProcessRecord, ended: Promise<ProcessEnd>) {
    this.record = record;
    this.ended = ended;
  }

  /** Starts a program, its output appended to `logFile`. Rejects when it can't be started. */
  static start(command: readonly string[], env: NodeJS.ProcessEnv, logFile: string): Promise<PodProcess> {
    const [program = '', ...args] = command;
    const log = openSync(logFile, 'a');
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    const ended = new Promise<ProcessEnd>((resolve) =>
      child.once('exit', (code, signal) =>
        resolve({ exitCode: code ?? UNKNOWN_EXIT, ...(signal && { signal }) }),
      ),
    );
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        const pid = child.pid ?? 0;
        resolve(new PodProcess(identify(pid), ended));
      });
    });
  }

  /** Takes over a process of an earlier life; nobody can tell its exit status any more. */
  static adopt(record: ProcessRecord): PodProcess {
    const ended = new Promise<ProcessEnd>((resolve) => {
      const timer = setInterval(() => {
        if (isAlive(record)) return;
        clearInterval(timer);
        resolve({ exitCode: UNKNOWN_EXIT });
      }, POLL_MS);
    });
    return new PodProcess(record, ended);
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!isAlive(this.record)) return;
    try {
      process.kill(this.record.pid, signal);
    } catch {
      // It ended in between.
    }
  }
}
