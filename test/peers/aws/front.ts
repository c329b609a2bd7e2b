import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError, renderError } from './aws-error.ts';
import type { AwsCall, CallLog } from './call-log.ts';
import type { FaultRules } from './fault-rules.ts';
import { type Incoming, readIncoming, toCall } from './incoming.ts';
import type { MotoClient } from './moto-client.ts';
import type { Pipeline } from './pipeline.ts';
import { parseForm } from './query-form.ts';
import type { ReadTags, Rights } from './rights/rights.ts';
import type { CredentialScope } from './service.ts';
import type { TokenBuckets } from './token-buckets.ts';

export type CallHook = (call: AwsCall) => void | Promise<void>;

/** What stands between a client and AWS: undefined for calls that tests make to arrange things. */
export interface Watch {
  log: CallLog;
  faults: FaultRules;
  buckets: TokenBuckets;
  rights: Rights;
  /** Of things in the region and account of a caller. */
  readTags(scope: CredentialScope): ReadTags;
  before: ReadonlySet<CallHook>;
  after: ReadonlySet<CallHook>;
}

const XML = { 'content-type': 'text/xml;charset=utf-8' };

/** An HTTP server in the place of AWS' endpoints, for all services at once. */
export class Front {
  readonly #server: Server;
  readonly #moto: MotoClient;
  readonly #pipeline: Pipeline;
  readonly #watch: Watch | undefined;

  private constructor(moto: MotoClient, pipeline: Pipeline, watch: Watch | undefined) {
    this.#moto = moto;
    this.#pipeline = pipeline;
    this.#watch = watch;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(
    moto: MotoClient,
    pipeline: Pipeline,
    watch?: Watch,
    address = '127.0.0.1',
  ): Promise<Front> {
    const front = new Front(moto, pipeline, watch);
    front.#server.listen(0, address);
    await once(front.#server, 'listening');
    return front;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away in the middle says so here; what it asked for is done all the same.
    response.on('error', () => {});
    const incoming = await readIncoming(request).catch(() => undefined);
    if (incoming === undefined) return;
    try {
      await this.#answer(incoming, response);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      const known = error instanceof AwsError ? error : new AwsError('InternalFailure', failure, 500);
      send(response, known.status, XML, renderError(known, incoming.service, incoming.requestId));
    }
  }

  async #answer(incoming: Incoming, response: ServerResponse): Promise<void> {
    const watch = this.#watch;
    if (watch === undefined) {
      const { status, headers, body } = await this.#do(incoming);
      send(response, status, headers, body);
      return;
    }
    const started = performance.now();
    const call = toCall(incoming);
    watch.log.add(call);
    for (const hook of watch.before) await hook(call);
    const fault = watch.faults.strike(call) ?? {};
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault.cut === 'before') {
      cut(call, 'before', response);
      return;
    }
    let done: Done;
    try {
      watch.buckets.take(call, performance.now());
      const { error } = fault;
      if (error !== undefined)
        throw new AwsError(error.code, error.message ?? error.code, error.status ?? 400);
      const { scope } = incoming;
      await watch.rights.check(call, scope.accessKey, watch.readTags(scope));
      done = await this.#do(incoming);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      done = {
        status: error.status,
        code: error.code,
        headers: XML,
        body: renderError(error, incoming.service, incoming.requestId),
      };
    }
    call.tookMs = performance.now() - started;
    call.code = done.code;
    if (fault.cut === 'after') cut(call, 'after', response);
    else call.status = done.status;
    for (const hook of watch.after) await hook(call);
    if (call.cut === undefined) send(response, done.status, done.headers, done.body);
  }

  async #do(incoming: Incoming): Promise<Done> {
    const { request, body, scope, service, requestId } = incoming;
    if (service === undefined) {
      const answer = await this.#moto.send({
        method: request.method ?? 'POST',
        path: request.url ?? '/',
        headers: request.headers,
        body,
      });
      const code = answer.status >= 300 ? String(answer.status) : undefined;
      return { status: answer.status, headers: pickHeaders(answer.headers), body: answer.body, code };
    }
    const { operation, parameters } = parseForm(body.toString());
    const byHand = this.#watch === undefined;
    const text = await this.#pipeline.run({ service, operation, parameters, scope, byHand }, requestId);
    return { status: 200, headers: XML, body: text, code: undefined };
  }
}

interface Done {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  code: string | undefined;
}

function cut(call: AwsCall, when: 'before' | 'after', response: ServerResponse): void {
  call.cut = when;
  response.socket?.resetAndDestroy();
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Buffer,
): void {
  if (response.destroyed) return;
  response.writeHead(status, headers);
  response.end(body);
}

function pickHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const type = headers['content-type'];
  return typeof type === 'string' ? { 'content-type': type } : {};
}
