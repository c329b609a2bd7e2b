import type { EchoAnswer } from '../echo/echo-http.ts';

export interface HttpRequest {
  url: string;
  /** @default GET */
  method?: string;
  /** @default 2000 */
  timeoutMs?: number;
  /** Over connections that stay open, as long as the server lets them. */
  keepAlive?: boolean;
}

export interface Exchange {
  protocol: 'TCP' | 'UDP';
  host: string;
  port: number;
  text: string;
  timeoutMs?: number;
}

/** How one request went, over a connection of its own where it isn't said otherwise. */
export interface ProbeResult {
  /** `Date.now()` when it began. */
  at: number;
  /** Until the whole answer was there, or it failed. */
  ms: number;
  ok: boolean;
  status?: number;
  body?: string;
  /** The answer of the lab's echo server, when it was one. */
  answer?: EchoAnswer;
  /** What went wrong: ECONNREFUSED, timeout, status 503, ... */
  error?: string;
}

/** To the probe process, one a line. */
export type ProbeCommand = { id: number } & (
  | { kind: 'request'; request: HttpRequest }
  | { kind: 'exchange'; exchange: Exchange }
  | { kind: 'steady'; request: HttpRequest; perSecond: number }
  /** Ends the steady requests that the command `of` began; answers with all of them. */
  | { kind: 'stop'; of: number }
);

/** From the probe process, one a line. */
export interface ProbeReply {
  id: number;
  results: ProbeResult[];
}
