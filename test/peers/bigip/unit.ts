import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { As3, type InFlight, Restarted } from './as3/as3.ts';
import type { SchemaCheck } from './as3/schema-check.ts';
import type { BigIpCall, CallLog } from './call-log.ts';
import type { Clock } from './clock.ts';
import type { Cluster, SyncedState } from './cluster.ts';
import { Configuration } from './configuration.ts';
import { addFactoryObjects } from './factory-objects.ts';
import type { FaultRules } from './fault-rules.ts';
import type { DeviceCertificate } from './make-certificate.ts';
import { object, type PlainObject } from './plain.ts';
import { frameworkError, Refusal, type RestAnswer } from './rest-answer.ts';
import { Sessions } from './sessions.ts';
import type { BigIpTimes } from './settings.ts';
import { answerCluster } from './tm/cluster-routes.ts';
import { changeMember, changeObject, createObject, deleteObject } from './tm/edit-objects.ts';
import { answerTm } from './tm/routes.ts';

/** Called for each call; the call waits for it. */
export type CallHook = (call: BigIpCall) => void | Promise<void>;

export interface UnitOptions {
  host: string;
  cluster: Cluster;
  clock: Clock;
  times: BigIpTimes;
  log: CallLog;
  faults: FaultRules;
  before: ReadonlySet<CallHook>;
  after: ReadonlySet<CallHook>;
  users: Readonly<Record<string, string>>;
  vlans: readonly string[];
  as3Version: string;
  perApp: boolean;
  schema: SchemaCheck;
  certificate: DeviceCertificate;
}

export interface RestartOptions {
  /** Nothing but 503 pages for so long. @default 0 */
  downMs?: number;
  /** Of the declaration that is under way. `unsaved`: the objects are there, AS3 doesn't know of them. @default lost */
  inFlight?: InFlight;
  /** Tokens survive. @default false */
  keepTokens?: boolean;
  /** AS3's lock stays behind, for two minutes of the device's clock. @default false */
  keepLock?: boolean;
}

/** One device: an HTTPS server, its configuration, AS3. */
export class Unit {
  readonly host: string;
  readonly state: SyncedState;
  readonly sessions: Sessions;
  readonly as3: As3;
  readonly #options: UnitOptions;
  #server: Server | undefined;
  #port = 0;
  #address = '127.0.0.1';
  #downUntil = 0;
  /** Calls that are never answered. */
  readonly #silent = new Set<ServerResponse>();

  constructor(options: UnitOptions) {
    this.#options = options;
    this.host = options.host;
    this.state = { configuration: new Configuration(), declarations: [], changedAt: 0 };
    addFactoryObjects(this.state.configuration, options.vlans);
    this.sessions = new Sessions(options.users, options.clock);
    const { cluster, clock, times, as3Version, perApp, schema } = options;
    const changed = (syncTo: string) => {
      cluster.noteChange(this);
      if (syncTo !== '' && syncTo.replace(/^\/Common\//, '') === cluster.group) cluster.syncFrom(this);
    };
    this.as3 = new As3({ state: this.state, clock, times, version: as3Version, perApp, schema, changed });
    cluster.units.push(this);
  }

  /** `https://127.0.0.1:port` */
  get url(): string {
    if (this.#port === 0) throw new Error('the unit does not listen');
    return `https://${this.#address}:${this.#port}`;
  }

  /** PEM of the unit's own certificate, which signed itself. */
  get ca(): string {
    return this.#options.certificate.cert;
  }

  get configuration(): Configuration {
    return this.state.configuration;
  }

  get isActive(): boolean {
    return this.#options.cluster.isActive(this);
  }

  /** Makes an object by hand: as POST of this body would. Answers its full path. */
  create(kind: string, body: PlainObject): string {
    const path = createObject(this.configuration, kind, body);
    this.#noteEdit();
    return path;
  }

  /** Edits an object by hand, as PATCH would. */
  edit(kind: string, path: string, body: PlainObject): void {
    changeObject(this.configuration, kind, path, body);
    this.#noteEdit();
  }

  /** Edits a member of a pool by hand: `editMember('/T/A/web', '/T/10.0.0.1:80', { session: 'user-disabled' })`. */
  editMember(pool: string, member: string, body: PlainObject): void {
    changeMember(this.configuration, pool, member, body);
    this.#noteEdit();
  }

  /** Deletes an object by hand. */
  remove(kind: string, path: string): void {
    deleteObject(this.configuration, kind, path);
    this.#noteEdit();
  }

  /** The device starts again: connections end, tokens are gone, and what was under way ends as the options say. */
  restart({
    downMs = 0,
    inFlight = 'lost',
    keepTokens = false,
    keepLock = false,
  }: RestartOptions = {}): void {
    this.#downUntil = performance.now() + downMs;
    this.#server?.closeAllConnections();
    this.as3.restart(inFlight, keepLock);
    if (!keepTokens) this.sessions.forget();
  }

  /** Nobody listens any more: connections are refused until `listen`. */
  async unplug(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    this.#release();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
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

  /** Ends what is never answered. */
  heal(): void {
    this.#release();
    this.as3.busy = 0;
  }

  #release(): void {
    for (const response of this.#silent) response.socket?.destroy();
    this.#silent.clear();
  }

  #noteEdit(): void {
    this.#options.cluster.noteChange(this);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away in the middle says so here; what it asked for is done all the same.
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'https://localhost');
    const isLogin = url.pathname.startsWith('/mgmt/shared/authn/');
    const parsed = parse(body.toString());
    const call: BigIpCall = {
      unit: this.host,
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.search.slice(1),
      bytes: body.length,
      body: isLogin ? undefined : parsed,
      at: Date.now(),
      status: undefined,
      answerBytes: undefined,
      cut: undefined,
      tookMs: undefined,
    };
    const started = performance.now();
    const { log, faults, before, after } = this.#options;
    log.add(call);
    for (const hook of before) await hook(call);
    const fault = faults.strike(call) ?? {};
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault.cut === 'before') return this.#cut(call, 'before', response);
    if (fault.silent === 'before') return void this.#silent.add(response);
    let answer: RestAnswer;
    try {
      answer =
        fault.answer === undefined
          ? await this.#answer(request, url, call.method, parsed)
          : { body: undefined, ...fault.answer };
    } catch (error) {
      if (error instanceof Restarted) return this.#cut(call, 'before', response);
      answer =
        error instanceof Refusal
          ? error.answer
          : frameworkError(500, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    call.tookMs = performance.now() - started;
    if (fault.cut === 'after') this.#cut(call, 'after', response);
    else if (fault.silent === undefined) call.status = answer.status;
    for (const hook of after) await hook(call);
    if (fault.silent === 'after') return void this.#silent.add(response);
    if (call.cut === undefined) send(call, response, answer);
  }

  async #answer(request: IncomingMessage, url: URL, method: string, body: unknown): Promise<RestAnswer> {
    if (performance.now() < this.#downUntil) return { status: 503, body: RESTARTING_PAGE };
    const token = request.headers['x-f5-auth-token'];
    const headers = {
      token: Array.isArray(token) ? token[0] : token,
      authorization: request.headers.authorization,
    };
    const aboutTokens = this.sessions.answer(method, url.pathname, body, headers);
    if (aboutTokens !== undefined) return aboutTokens;
    const user = this.sessions.identify(headers);
    if (typeof user !== 'string') return user;
    const [mgmt, area, ...rest] = url.pathname
      .split('/')
      .slice(1)
      .filter((part) => part !== '')
      .map(decodeURIComponent);
    if (mgmt !== 'mgmt') return { status: 404, body: undefined };
    const query = url.searchParams;
    if (area === 'shared' && rest[0] === 'appsvcs')
      return await this.as3.answer(rest.slice(1), { method, query, body });
    if (area !== 'tm')
      return frameworkError(404, `Public URI path not registered: ${url.pathname.slice('/mgmt'.length)}`);
    const { cluster, times } = this.#options;
    const context = { unit: this, cluster, syncMs: () => times.sync };
    const ofCluster = await answerCluster(context, method, rest.join('/'), object(body));
    if (ofCluster !== undefined) return ofCluster;
    const healthOf = (member: Parameters<Cluster['healthOf']>[0]) => {
      const health = cluster.healthOf(member);
      // A standby unit has no traffic.
      return this.isActive ? health : { ...health, connections: 0 };
    };
    return answerTm(this.configuration, healthOf, { method, segments: rest, query, body }, () =>
      this.#noteEdit(),
    );
  }

  #cut(call: BigIpCall, when: 'before' | 'after', response: ServerResponse): void {
    call.cut = when;
    response.socket?.destroy();
  }
}

const RESTARTING_PAGE =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n' +
  '<html><head><title>BIG-IP&reg;- Configuration Utility restarting...</title></head><body></body></html>\n';

function send(call: BigIpCall, response: ServerResponse, { status, body }: RestAnswer): void {
  const isPage = typeof body === 'string';
  const content = body === undefined ? '' : isPage ? body : JSON.stringify(body);
  call.answerBytes = Buffer.byteLength(content);
  if (response.destroyed) return;
  const type = isPage ? 'text/html; charset=iso-8859-1' : 'application/json; charset=UTF-8';
  response.writeHead(status, content === '' ? {} : { 'content-type': type });
  response.end(content);
}

function parse(content: string): unknown {
  if (content === '') return undefined;
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
