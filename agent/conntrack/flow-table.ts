import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Family } from '../endpoints/canonical-address.ts';
import { type Flow, parseFlow, type TrackedProtocol } from './parse-flow.ts';

/** `Missing`: a program isn't installed; `Failed`: it didn't do what it was told. */
export class ConntrackError extends Error {
  readonly failure: 'Missing' | 'Failed';

  constructor(failure: 'Missing' | 'Failed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface Listing {
  family: Family;
  protocol: TrackedProtocol;
  /** Of TCP only those that wait for the first answer. */
  state?: 'SYN_SENT';
}

/** The boundary to the kernel's connection tracking. Throws ConntrackError. */
export interface FlowTable {
  /** Calls `each` for every entry, as they are read. */
  list(listing: Listing, each: (flow: Flow) => void): Promise<void>;
  /** Deletes these very entries; resolves with how many of them were still there. */
  delete(flows: readonly Flow[]): Promise<number>;
}

const TIMEOUT_MS = 60_000;
const FAMILY_NAME: Readonly<Record<Family, string>> = { ip: 'ipv4', ip6: 'ipv6' };
const PROTOCOL_NUMBER: Readonly<Record<TrackedProtocol, number>> = { tcp: 6, udp: 17 };
const DELETE_FLOWS = fileURLToPath(new URL('delete-flows.pl', import.meta.url));
const LONGEST_COMPLAINT = 2_048;

/** Runs the programs of the system; by `prefix` somewhere else, such as in another network namespace. */
export function createFlowTable(prefix: readonly string[] = []): FlowTable {
  const run = (command: readonly string[], input: Iterable<string>, onLine: (line: string) => void) =>
    runOnce([...prefix, ...command], input, onLine);
  return {
    list: async ({ family, protocol, state }, each) => {
      const wanted = ['-f', FAMILY_NAME[family], '-p', protocol, ...(state ? ['--state', state] : [])];
      await run(['conntrack', '-L', ...wanted, '-o', 'id'], [], (line) => {
        const flow = parseFlow(line);
        if (flow !== null) each(flow);
      });
    },
    delete: async (flows) => {
      let count = 0;
      await run(['perl', DELETE_FLOWS], renderDeletions(flows), (line) => {
        count = Number(line);
      });
      return count;
    },
  };
}

/** Input of delete-flows.pl. */
function* renderDeletions(flows: readonly Flow[]): Generator<string> {
  for (const { protocol, source, destination, sourcePort, port, id } of flows) {
    yield `${PROTOCOL_NUMBER[protocol]} ${source} ${destination} ${sourcePort} ${port} ${id}\n`;
  }
}

/** Back-pressure by the pipes: however long the table, only a few lines of it are in memory at a time. */
function runOnce(
  [command = '', ...args]: readonly string[],
  input: Iterable<string>,
  onLine: (line: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    let complaint = '';
    createInterface(child.stdout).on('line', onLine);
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < LONGEST_COMPLAINT) complaint += chunk.toString();
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const failure = error.code === 'ENOENT' ? 'Missing' : 'Failed';
      reject(new ConntrackError(failure, `${command} can't be run: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        reject(new ConntrackError('Failed', `${command} ended with ${code ?? signal}: ${complaint.trim()}`));
      }
    });
    // A program that ends before it read its input says why by its status.
    child.stdin.on('error', () => {});
    Readable.from(input).pipe(child.stdin);
  });
}
