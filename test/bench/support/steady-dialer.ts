import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface DialFigures {
  /** Connections tried. */
  made: number;
  /** Those of them that failed, and how. */
  failed: string[];
  slowestMs: number;
}

const PROGRAM = new URL('dial-steadily.ts', import.meta.url).pathname;

/** Makes new connections at an even rate from a client; resolves once it has begun. `prefix` runs a command there. */
export async function dialSteadily(
  prefix: readonly string[],
  perSecond: number,
  targets: readonly string[],
): Promise<{ stop(): Promise<DialFigures> }> {
  const [command = '', ...args] = [...prefix, process.execPath, PROGRAM, String(perSecond), ...targets];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const read = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the dialer ended');
    return value;
  };
  await read();
  return {
    stop: async () => {
      child.stdin.end();
      const figures: DialFigures = JSON.parse(await read());
      return figures;
    },
  };
}
