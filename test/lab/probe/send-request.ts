import { createSocket } from 'node:dgram';
import { Agent, request as httpRequest } from 'node:http';
import { connect, isIPv6 } from 'node:net';
import type { EchoAnswer } from '../echo/echo-http.ts';
import type { Exchange, HttpRequest, ProbeResult } from './probe-protocol.ts';

const TIMEOUT_MS = 2_000;

/** Few, so that each is used again and again. */
const kept = new Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 4 });

/** Sends one HTTP request, over a new connection or one that is kept. Never rejects. */
export function sendRequest({
  url,
  method = 'GET',
  timeoutMs = TIMEOUT_MS,
  keepAlive = false,
}: HttpRequest): Promise<ProbeResult> {
  return measured(timeoutMs, (settle, onTimeout) => {
    const request = httpRequest(url, { method, agent: keepAlive ? kept : false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const ok = status >= 200 && status < 300;
        settle({ ok, status, body, ...answerOf(body), ...(!ok && { error: `status ${status}` }) });
      });
      response.on('error', (error) => settle({ ok: false, error: codeOf(error) }));
    });
    request.on('error', (error) => settle({ ok: false, error: codeOf(error) }));
    onTimeout(() => request.destroy());
    request.end();
  });
}

/** Sends a text by TCP or UDP and takes the first piece that comes back. Never rejects. */
export function sendText({
  protocol,
  host,
  port,
  text,
  timeoutMs = TIMEOUT_MS,
}: Exchange): Promise<ProbeResult> {
  return measured(timeoutMs, (settle, onTimeout) => {
    const received = (data: Buffer) => {
      const body = data.toString();
      settle({ ok: true, body, ...answerOf(body) });
    };
    const failed = (error: Error) => settle({ ok: false, error: codeOf(error) });
    if (protocol === 'TCP') {
      const socket = connect({ host, port });
      socket.on('connect', () => socket.write(text));
      socket.once('data', (data) => {
        socket.destroy();
        received(data);
      });
      socket.on('error', failed);
      socket.on('end', () => failed(new Error('closed')));
      onTimeout(() => socket.destroy());
    } else {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      socket.once('message', (data) => {
        socket.close();
        received(data);
      });
      // Connected, so that an ICMP refusal reaches us as an error.
      socket.connect(port, host, () => socket.send(text));
      socket.on('error', failed);
      onTimeout(() => socket.close());
    }
  });
}

type Outcome = Omit<ProbeResult, 'at' | 'ms'>;

function measured(
  timeoutMs: number,
  run: (settle: (outcome: Outcome) => void, onTimeout: (cut: () => void) => void) => void,
): Promise<ProbeResult> {
  const at = Date.now();
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let cut = () => {};
    const settle = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve({ at, ms: performance.now() - startedAt, ...outcome });
    };
    const timer = setTimeout(() => {
      settle({ ok: false, error: 'timeout' });
      cut();
    }, timeoutMs);
    run(settle, (action) => {
      cut = action;
    });
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

function answerOf(body: string): { answer?: EchoAnswer } {
  if (!body.startsWith('{')) return {};
  try {
    return { answer: JSON.parse(body) };
  } catch {
    return {};
  }
}
