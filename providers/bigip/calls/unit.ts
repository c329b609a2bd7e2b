import type { Dispatcher } from 'undici';
import { Deadline } from '../../../kube/deadline.ts';
import { ClassedError } from '../../../kube/errors.ts';
import { readText } from '../../../kube/http-messages.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { errorOfAnswer, errorOfCall } from './classify-bigip-error.ts';
import { type DeviceTls, HttpsPool } from './https-pool.ts';

export interface UnitOptions {
  /** `host` or `host:port`. */
  device: string;
  tls: DeviceTls;
  username: string;
  password: string;
  loginProvider: string;
  callMs: number;
  observeCall?: ((call: UnitCall) => void) | undefined;
  /** Milliseconds, monotonic. */
  now?: (() => number) | undefined;
}

/** One call that ended. */
export interface UnitCall {
  /** `POST declare`, `GET ltm/pool`, ... */
  operation: string;
  /** `ok`, or why not. */
  code: string;
  seconds: number;
}

export interface UnitRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** From `/mgmt` on, with the query. */
  path: string;
  /** For figures: without names. */
  operation: string;
  body?: JsonObject | undefined;
  signal: AbortSignal;
  /** @default as the provider says */
  timeoutMs?: number | undefined;
}

export interface UnitAnswer {
  code: number;
  /** undefined: there was none. */
  body: Json | undefined;
}

const LOGIN_PATH = '/mgmt/shared/authn/login';
/** F5 K13225405: without another one being asked for. */
const TOKEN_SECONDS = 1200;
/** A token is given up after this share of its time: calls that it began with have to end. */
const RENEW_AT = 0.8;

/**
 * One BIG-IP, with a session: a token is got with the first call, another before it runs out, and another once where the
 * device knows it no more (it was restarted). The one before is deleted, since a user may have a hundred of them.
 */
export class Unit {
  readonly device: string;
  readonly #options: UnitOptions;
  readonly #pool: HttpsPool;
  readonly #now: () => number;
  #token: { text: string; until: number } | undefined;
  #login: Promise<string> | undefined;

  constructor(options: UnitOptions) {
    this.device = options.device;
    this.#options = options;
    this.#pool = new HttpsPool(options.device, options.tls);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Answers 2xx. Throws ClassedErrors for all others. */
  async call(request: UnitRequest): Promise<UnitAnswer> {
    const token = await this.#tokenOf(request.signal);
    const first = await this.#send(request, token);
    if (first.code !== 401) return this.#judge(request, first);
    if (this.#token?.text === token) this.#token = undefined;
    return this.#judge(request, await this.#send(request, await this.#tokenOf(request.signal)));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #tokenOf(signal: AbortSignal): Promise<string> {
    const known = this.#token;
    if (known !== undefined && this.#now() < known.until) return known.text;
    // Those that wait share one login; it ends by its own time-out.
    this.#login ??= this.#logIn(known?.text).finally(() => {
      this.#login = undefined;
    });
    const login = this.#login;
    login.catch(() => {});
    signal.throwIfAborted();
    return await login;
  }

  async #logIn(former: string | undefined): Promise<string> {
    const { loginProvider: loginProviderName, password, username } = this.#options;
    const request: UnitRequest = {
      method: 'POST',
      path: LOGIN_PATH,
      operation: 'POST login',
      body: { username, password, loginProviderName },
      signal: new AbortController().signal,
    };
    const { body } = this.#judge(request, await this.#send(request, undefined));
    const token = isJsonObject(body) && isJsonObject(body.token) ? body.token : {};
    if (typeof token.token !== 'string') {
      const message = `POST ${LOGIN_PATH} of ${this.device}: the answer has no token`;
      throw new ClassedError(message, { class: 'Transient', reason: 'BadAnswer' });
    }
    const seconds = typeof token.timeout === 'number' ? token.timeout : TOKEN_SECONDS;
    this.#token = { text: token.token, until: this.#now() + seconds * 1000 * RENEW_AT };
    if (former !== undefined) void this.#forget(former, token.token);
    return token.token;
  }

  /** What comes of it doesn't matter: it runs out anyway. */
  async #forget(former: string, token: string): Promise<void> {
    const { signal } = new AbortController();
    const path = `/mgmt/shared/authz/tokens/${encodeURIComponent(former)}`;
    await this.#send({ method: 'DELETE', path, operation: 'DELETE token', signal }, token).catch(() => {});
  }

  #judge({ method, path }: UnitRequest, { code, text }: { code: number; text: string }): UnitAnswer {
    const what = `${method} ${path} of ${this.device}`;
    if (code < 200 || code >= 300) throw errorOfAnswer(code, text, what);
    if (text === '') return { code, body: undefined };
    try {
      const body: Json = JSON.parse(text);
      return { code, body };
    } catch (cause) {
      const message = `${what}: the answer isn't JSON`;
      throw new ClassedError(message, { class: 'Transient', reason: 'BadAnswer', cause });
    }
  }

  async #send(request: UnitRequest, token: string | undefined): Promise<{ code: number; text: string }> {
    const { body, method, operation, path, signal, timeoutMs = this.#options.callMs } = request;
    const startedAt = this.#now();
    const report = (code: string) =>
      this.#options.observeCall?.({ operation, code, seconds: (this.#now() - startedAt) / 1000 });
    const deadline = new Deadline(timeoutMs, signal);
    try {
      const response = await this.#pool.request({
        method,
        path,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { 'x-f5-auth-token': token }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: deadline.signal,
      } satisfies Dispatcher.RequestOptions);
      const text = await readText(response.body);
      report(response.statusCode < 400 ? 'ok' : String(response.statusCode));
      return { code: response.statusCode, text };
    } catch (failure) {
      signal.throwIfAborted();
      const what = `${method} ${path} of ${this.device}`;
      const error = errorOfCall(deadline.signal.aborted ? deadline.explain(failure, what) : failure, what);
      report(error.reason);
      throw error;
    } finally {
      deadline.clear();
    }
  }
}
