import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BigIpCall, CallLog } from './call-log.ts';
import type { Fault, FaultRules } from './fault-rules.ts';
import type { DeviceCertificate } from './make-certificate.ts';
import { frameworkError, Refusal, type RestAnswer } from './rest-answer.ts';

/** Called for each call; the call waits for it. */
export type CallHook = (call: BigIpCall) => void | Promise<void>;

/** A call as the device gets it. */
export interface Incoming {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  /** undefined: no JSON, or nothing. */
  body: unknown;
}

/** Thrown to a call that a restart left without an answer. */
export class Unanswered extends Error {}

export interface FrontOptions {
  host: string;
  certificate: DeviceCertificate;
  log: CallLog;
  faults: FaultRules;
  before: ReadonlySet<CallHook>;
  after: ReadonlySet<CallHook>;
}

/** The HTTPS server of a unit, which counts calls and makes them go wrong. */
export class Front {
  readonly #options: FrontOptions;
  readonly #answer: (incoming: Incoming) => Promise<RestAnswer>;
  #server: Server | undefined;
  #port = 0;
  #address = '127.0.0.1';
  /** Calls that are never answered. */
  readonly #silent = new Set<ServerResponse>();

  constructor(options: FrontOptions, answer: (incoming: Incoming) => Promise<RestAnswer>) {
    this.#options = options;
    this.#answer = answer;
  }

  get url(): string {
    if (this.#port === 0) throw new Error('the unit does not listen');
    return `https://${this.#address}:${this.#port}`;
  }

  /** On the port that it had, if it had one. */
  async listen(address = this.#address): Promise<void> {
    const { cert, key } = this.#options.certificate;
    const server = createServer({ cert, key }, (request, response) => void this.#serve(request, response));
    // Clients that pin another certificate end here, as they should.
    server.on('tlsClientError', () => {});
    server.keepAliveTimeout = 60_000;
    server.listen(this.#port, address);
    await once(server, 'listening');
    this.#server = server;
    this.#address = address;
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    this.release();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  endConnections(): void {
    this.#server?.closeAllConnections();
  }

  /** Ends what is never answered. */
  release(): void {
    for (const response of this.#silent) response.socket?.destroy();
    this.#silent.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away in the middle says so here; what it asked for is done all the same.
    response.on('error', () => {});
    const content = await readAll(request).catch(() => undefined);
    if (content === undefined) return;
    const url = new URL(request.url ?? '/', 'https://localhost');
    const body = parse(content.toString());
    const call = this.#note(request.method ?? 'GET', url, content.length, body);
    const started = performance.now();
    for (const hook of this.#options.before) await hook(call);
    const fault = this.#options.faults.strike(call) ?? {};
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault.cut === 'before') return cut(call, 'before', response);
    if (fault.silent === 'before') return void this.#silent.add(response);
    const answer = await this.#find(fault, { method: call.method, url, headers: request.headers, body });
    if (answer === undefined) return cut(call, 'before', response);
    call.tookMs = performance.now() - started;
    if (fault.cut === 'after') cut(call, 'after', response);
    else if (fault.silent === undefined) call.status = answer.status;
    for (const hook of this.#options.after) await hook(call);
    if (fault.silent === 'after') return void this.#silent.add(response);
    if (call.cut === undefined) send(call, response, answer);
  }

  #note(method: string, url: URL, bytes: number, body: unknown): BigIpCall {
    const call: BigIpCall = {
      unit: this.#options.host,
      method,
      path: url.pathname,
      query: url.search.slice(1),
      bytes,
      body: url.pathname.startsWith('/mgmt/shared/authn/') ? undefined : body,
      at: Date.now(),
      status: undefined,
      answerBytes: undefined,
      cut: undefined,
      tookMs: undefined,
    };
    this.#options.log.add(call);
    return call;
  }

  async #find({ answer }: Fault, incoming: Incoming): Promise<RestAnswer | undefined> {
    if (answer !== undefined) return { body: undefined, ...answer };
    try {
      return await this.#answer(incoming);
    } catch (error) {
      if (error instanceof Unanswered) return undefined;
      if (error instanceof Refusal) return error.answer;
      // The test sees what the stand-in stumbled over.
      return frameworkError(500, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function parse(content: string): unknown {
  if (content === '') return undefined;
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function cut(call: BigIpCall, when: 'before' | 'after', response: ServerResponse): void {
  call.cut = when;
  response.socket?.destroy();
}

function send(call: BigIpCall, response: ServerResponse, { status, body }: RestAnswer): void {
  const isPage = typeof body === 'string';
  const content = body === undefined ? '' : isPage ? body : JSON.stringify(body);
  call.answerBytes = Buffer.byteLength(content);
  if (response.destroyed) return;
  const type = isPage ? 'text/html; charset=iso-8859-1' : 'application/json; charset=UTF-8';
  response.writeHead(status, content === '' ? {} : { 'content-type': type });
  response.end(content);
}
