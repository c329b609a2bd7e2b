import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { WebhookConfig } from '../../../crds/webhook-provider.ts';
import { Backoff } from '../../../kube/backoff.ts';
import type { ConnectionConfig } from '../../../kube/config.ts';
import { Connections } from '../../../kube/connections.ts';
import { Deadline } from '../../../kube/deadline.ts';
import { ClassedError, isClass } from '../../../kube/errors.ts';
import { headerOf } from '../../../kube/http-messages.ts';
import { LONGEST_ANSWER, type Operation } from '../contract.ts';
import { type Access, type AccessReaders, readAccess } from './read-access.ts';
import { type RawAnswer, readAnswer } from './read-answer.ts';
import { Slots } from './slots.ts';

/** Requests to one server at once. */
const AT_ONCE = 16;
/** Rotated credentials count after this at the latest. */
const ACCESS_COUNTS_MS = 30_000;
/** A server that asks for more patience than this is asked again by a later turn. */
const LONGEST_PAUSE_MS = 2_000;
/** What proxies and servers answer that have begun nothing. */
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** One attempt, for metrics. */
export interface WebhookCall {
  operation: string;
  /** `ok`, the HTTP status of a refusal, or the reason of ours: servers may have any number of their own. */
  code: string;
  seconds: number;
}

export interface WebhookClientOptions {
  config: WebhookConfig;
  readers: AccessReaders;
  observe: (call: WebhookCall) => void;
}

/** Speaks with one server. Every error is a ClassedError. Redirects aren't followed. */
export class WebhookClient {
  readonly #options: WebhookClientOptions;
  readonly #connections: Connections;
  readonly #slots = new Slots(AT_ONCE);
  readonly #root: string;
  #access: { readAt: number; value: Access } | undefined;

  constructor(options: WebhookClientOptions) {
    this.#options = options;
    this.#root = options.config.url.replace(/\/+$/, '');
    this.#connections = new Connections(this.#connectionConfig(), AT_ONCE);
  }

  /**
   * One operation, sent again within the turn where no answer came, or the server is busy. Every operation may be sent twice
   * (apply and delete by their operationId); what ran into the time-out is left to the next turn.
   */
  async call<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Answer> {
    const backoff = new Backoff({ initialMs: 200, maxMs: LONGEST_PAUSE_MS });
    for (let left = this.#options.config.retries ?? 2; ; left--) {
      try {
        return await this.#attempt(operation, request, signal);
      } catch (error) {
        const pauseMs = left > 0 && !signal.aborted ? pauseAfter(error, backoff) : undefined;
        if (pauseMs === undefined) throw error;
        await pause(pauseMs, undefined, { signal });
      }
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #attempt<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Answer> {
    const url = this.#urlOf(operation.name);
    // Who waits for others' requests doesn't spend the time for its own.
    const release = await this.#slots.take(signal);
    const startedAt = performance.now();
    const told = (code: string) => {
      const seconds = (performance.now() - startedAt) / 1000;
      this.#options.observe({ operation: operation.name, code, seconds });
    };
    const deadline = new Deadline(this.#timeoutMs(operation.name), signal);
    try {
      const raw = await this.post(operation.name, JSON.stringify(request), deadline.signal);
      const answer = readAnswer(operation.answer, raw, url);
      told('ok');
      return answer;
    } catch (error) {
      if (signal.aborted) throw error;
      const explained = deadline.explain(error, `POST ${url}`);
      told(
        explained.code === undefined || explained.code === 200 ? explained.reason : String(explained.code),
      );
      throw explained;
    } finally {
      deadline.clear();
      release();
    }
  }

  /** One POST to `<url>/v1/<name>`, and what came back: with other credentials when these are refused and the Secret has others. */
  async post(name: string, body: string, signal: AbortSignal): Promise<RawAnswer> {
    const before = await this.#readAccess(false, signal);
    const raw = await this.#postWith(before, name, body, signal);
    if (raw.code !== 401) return raw;
    const after = await this.#readAccess(true, signal);
    if (isDeepStrictEqual(before, after)) return raw;
    await this.#connections.refresh(true);
    return await this.#postWith(after, name, body, signal);
  }

  async #postWith({ token }: Access, name: string, body: string, signal: AbortSignal): Promise<RawAnswer> {
    const url = this.#urlOf(name);
    const response = await this.#connections.request('requests', {
      method: 'POST',
      path: new URL(url).pathname,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'fairlead',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      signal,
    });
    const text = await readLimited(response.body, url);
    // Pages of proxies show what they were sent, and what is answered may be shown on the Service.
    const shown = token === undefined ? text : text.replaceAll(token, '***');
    return { code: response.statusCode, text: shown, retryAfter: headerOf(response, 'retry-after') };
  }

  #urlOf(name: string): string {
    return `${this.#root}/v1/${name}`;
  }

  async #readAccess(fresh: boolean, signal: AbortSignal): Promise<Access> {
    const now = performance.now();
    const known = this.#access;
    if (known !== undefined && !fresh && now - known.readAt < ACCESS_COUNTS_MS) return known.value;
    const { config, readers } = this.#options;
    const value = await readAccess(config, readers, signal);
    this.#access = { readAt: now, value };
    return value;
  }

  #timeoutMs(operation: string): number {
    const { applyTimeoutSeconds = 30, timeoutSeconds = 10 } = this.#options.config;
    return (operation === 'apply' || operation === 'delete' ? applyTimeoutSeconds : timeoutSeconds) * 1000;
  }

  #connectionConfig(): ConnectionConfig {
    const { url, tls, credentials } = this.#options.config;
    const hasMaterial = tls?.caSecretName ?? tls?.caConfigMapName ?? credentials?.secretName;
    return {
      server: url,
      ...(tls?.serverName === undefined ? {} : { serverName: tls.serverName }),
      ...(hasMaterial === undefined
        ? {}
        : {
            reloadTls: async (fresh) =>
              (await this.#readAccess(fresh === true, AbortSignal.timeout(this.#timeoutMs('plan')))).tls,
          }),
    };
  }
}

/** How long to wait before the same is sent again; undefined: that would not help within this turn. */
function pauseAfter(error: unknown, backoff: Backoff): number | undefined {
  if (!isClass(error, 'Transient', 'Throttled') || error.reason === 'Timeout') return undefined;
  if (error.code !== undefined && !BUSY.has(error.code)) return undefined;
  if (error.code === undefined && !CONNECTION_LOST.has(error.reason)) return undefined;
  const askedMs = (error.retryAfterSeconds ?? 0) * 1000;
  return askedMs > LONGEST_PAUSE_MS ? undefined : Math.max(askedMs, backoff.next());
}

/** Of kube/classify-error.ts, what another try may find mended. */
const CONNECTION_LOST: ReadonlySet<string> = new Set([
  'ConnectionLost',
  'ConnectionRefused',
  'ConnectTimeout',
  'Unreachable',
]);

async function readLimited(body: AsyncIterable<Buffer>, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LONGEST_ANSWER) {
      throw new ClassedError(`The answer of ${url} is longer than ${LONGEST_ANSWER} bytes.`, {
        class: 'Transient',
        reason: 'AnswerTooLong',
        retryAfterSeconds: 60,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
