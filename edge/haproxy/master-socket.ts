import { connect } from 'node:net';

/** Bytes of one line: HAProxy's buffers are of 16 KiB, and take a line only whole. */
const LONGEST_LINE = 8_000;
const DEFAULT_TIMEOUT_MS = 5_000;
/** The worker that serves, for the master. */
const SERVING = '@1';

/** Asks the master's command line one thing; resolves with all that it answers. Rejects when nobody is there. */
export function askMaster(path: string, line: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`HAProxy did not answer "${line.slice(0, 60)}"`)),
    );
    // What goes on to a worker is answered and done with only once our side has ended.
    socket.on('connect', () => socket.end(`${line}\n`));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', (hadError) => {
      if (!hadError) resolve(answer);
    });
  });
}

/** Asks the worker that serves now, through the master. */
export function askWorker(path: string, command: string): Promise<string> {
  return askMaster(path, `${SERVING} ${command}`);
}

/** Gives the worker that serves, or another, commands, several on a line; resolves with what it said. */
export async function tellWorker(
  path: string,
  commands: readonly string[],
  worker = SERVING,
): Promise<string> {
  let said = '';
  for (const line of joinCommands(commands, worker)) said += await askMaster(path, line);
  return said;
}

/** Lines of commands for the worker, none longer than HAProxy takes. */
export function joinCommands(commands: readonly string[], worker = SERVING): string[] {
  const lines: string[] = [];
  for (const command of commands) {
    const last = lines.at(-1);
    const one = `${worker} ${command}`;
    if (last === undefined || last.length + one.length + 2 > LONGEST_LINE) lines.push(one);
    else lines[lines.length - 1] = `${last}; ${one}`;
  }
  return lines;
}
