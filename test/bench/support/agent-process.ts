import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const MAIN = new URL('../../../agent/main.ts', import.meta.url).pathname;

export interface AgentProcess {
  pid: number;
  /** From spawn to its word that everything is in the kernel. */
  startMs: number;
  /** What it said of its start: listedMs, loadedMs, programmedMs, elements, ... */
  programmed: Record<string, unknown>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Starts an agent, by `prefix` in another network namespace; resolves when it has programmed the kernel. */
export async function startAgent(prefix: readonly string[], args: readonly string[]): Promise<AgentProcess> {
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, MAIN, ...args];
  const startedAt = performance.now();
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const programmed = await waitForProgrammed(child);
  const startMs = performance.now() - startedAt;
  const { pid } = child;
  if (pid === undefined) throw new Error('the agent has no process');
  return {
    pid,
    startMs,
    programmed,
    stop: (signal) =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill(signal);
      }),
  };
}

function waitForProgrammed(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the agent ended at its start with ${code}`)));
    if (child.stdout === null) throw new Error('the agent has no output');
    createInterface(child.stdout).on('line', (line) => {
      const entry = JSON.parse(line);
      if (entry.event === 'Programmed') resolve(entry);
      else if (entry.level !== 'info') process.stderr.write(`${line.slice(0, 400)}\n`);
    });
  });
}
