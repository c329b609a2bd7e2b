import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { boundCommand } from '../../controlplane/bound-command.ts';
import { inNamespace } from '../network/namespaces.ts';
import type { Exchange, HttpRequest, ProbeCommand, ProbeReply, ProbeResult } from './probe-protocol.ts';

/** Requests that go on at a steady rate until stopped. */
export interface SteadyLoad {
  /** Every request that was begun, in order, once the last has its result. */
  stop(): Promise<ProbeResult[]>;
}

const PROGRAM = new URL('probe-process.ts', import.meta.url).pathname;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Opens connections from a network namespace, by a process that stays there: the first use starts it. */
export class ClientProbe {
  readonly #namespace: string;
  readonly #waiting = new Map<
    number,
    { resolve: (results: ProbeResult[]) => void; reject: (why: Error) => void }
  >();
  #child: ChildProcess | undefined;
  #lastId = 0;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Starts the process, so that the first request doesn't wait for it. */
  async start(): Promise<void> {
    await this.#send({ kind: 'stop', of: 0 }).results;
  }

  async request(request: HttpRequest): Promise<ProbeResult> {
    return only(await this.#send({ kind: 'request', request }).results);
  }

  async exchange(exchange: Exchange): Promise<ProbeResult> {
    return only(await this.#send({ kind: 'exchange', exchange }).results);
  }

  async steady(request: HttpRequest, perSecond: number): Promise<SteadyLoad> {
    const { id, results } = this.#send({ kind: 'steady', request, perSecond });
    await results;
    return { stop: () => this.#send({ kind: 'stop', of: id }).results };
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  #send(command: WithoutId<ProbeCommand>): { id: number; results: Promise<ProbeResult[]> } {
    const id = ++this.#lastId;
    const child = this.#start();
    const results = new Promise<ProbeResult[]>((resolve, reject) =>
      this.#waiting.set(id, { resolve, reject }),
    );
    child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
    return { id, results };
  }

  #start(): ChildProcess {
    if (this.#child) return this.#child;
    const [program = '', ...args] = inNamespace(this.#namespace, [process.execPath, PROGRAM]);
    const child = spawn(...boundCommand(program, args), { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, results }: ProbeReply = JSON.parse(line);
      this.#waiting.get(id)?.resolve(results);
      this.#waiting.delete(id);
    });
    child.stdin.on('error', () => {});
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      const error = new Error(`the probe in ${this.#namespace} ended with ${signal ?? code}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    this.#child = child;
    return child;
  }
}

function only(results: ProbeResult[]): ProbeResult {
  const [result] = results;
  if (!result) throw new Error('the probe answered without a result');
  return result;
}
