import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Family } from '../endpoints/canonical-address.ts';
import { type Flow, parseFlow } from './parse-flow.ts';

/** `Missing`: the program isn't installed; `Failed`: it didn't do what it was told. */
export class ConntrackError extends Error {
  readonly failure: 'Missing' | 'Failed';

  constructor(failure: 'Missing' | 'Failed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface Listing {
  family: Family;
  protocol: 'udp' | 'tcp';
  /** Of TCP only those that wait for the first answer. */
  state?: 'SYN_SENT';
}

/** The boundary to the kernel's connection tracking. Throws ConntrackError. */
export interface FlowTable {
  /** Calls `each` for every entry, as they are read. */
  list(listing: Listing, each: (flow: Flow) => void): Promise<void>;
  /** Deletes all entries between this frontend and this answerer; resolves with their number. */
  delete(family: Family, flow: Flow): Promise<number>;
}

const TIMEOUT_MS = 60_000;
const FAMILY_NAME: Readonly<Record<Family, string>> = { ip: 'ipv4', ip6: 'ipv6' };
const LONGEST_COMPLAINT = 2_048;

/** Runs the `conntrack` of the system; by `prefix` somewhere else, such as in another network namespace. */
export function createFlowTable(prefix: readonly string[] = []): FlowTable {
  const run = (args: readonly string[], onLine: (line: string) => void) => runOnce(prefix, args, onLine);
  return {
    list: async ({ family, protocol, state }, each) => {
      const args = ['-L', '-f', FAMILY_NAME[family], '-p', protocol, ...(state ? ['--state', state] : [])];
      await run(args, (line) => {
        const flow = parseFlow(line);
        if (flow !== null) each(flow);
      });
    },
    delete: async (family, flow) => {
      let count = 0;
      const dialled = ['-d', flow.destination, '--dport', `${flow.port}`];
      const answered = ['-r', flow.replySource, '--reply-port-src', `${flow.replyPort}`];
      const args = ['-D', '-f', FAMILY_NAME[family], '-p', flow.protocol, ...dialled, ...answered];
      await run(args, (line) => {
        if (parseFlow(line) !== null) count++;
      });
      return count;
    },
  };
}

/** Back-pressure by the pipe: however long the table, only a few lines of it are in memory at a time. */
function runOnce(
  prefix: readonly string[],
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  const [command = 'conntrack', ...rest] = [...prefix, 'conntrack', ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let complaint = '';
    createInterface(child.stdout).on('line', onLine);
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < LONGEST_COMPLAINT) complaint += chunk.toString();
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const failure = error.code === 'ENOENT' ? 'Missing' : 'Failed';
      reject(new ConntrackError(failure, `conntrack can't be run: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      // It says how many it found on stderr, and ends with 1 when it deleted none.
      if (code === 0 || /0 flow entries have been deleted/.test(complaint)) resolve();
      else {
        reject(new ConntrackError('Failed', `conntrack ended with ${code ?? signal}: ${complaint.trim()}`));
      }
    });
  });
}
