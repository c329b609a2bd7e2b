import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EchoConfig } from './echo-config.ts';
import type { EchoState } from './echo-state.ts';

/** What the echo server says of itself and of who asked, in every protocol. */
export interface EchoAnswer {
  pod: string;
  node: string;
  /** The caller's address and port, as the pod sees them. */
  client: string;
  /** Where the pod was reached: its own address. */
  server: string;
  protocol: 'HTTP' | 'TCP' | 'UDP';
  /** The request line or the payload. */
  request: string;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`; an IPv4 address that came through an IPv6 socket is shown as IPv4. */
export function hostPort(address = '', port = 0): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/**
 * `/` answers with an EchoAnswer (`?delayMs=` holds it back), `/hostname` and `/clientip` with plain text as agnhost's
 * netexec does. `/healthz` and `/readyz` are the readiness endpoints; POST `/fail-readiness` makes them fail, and with
 * `?breakAfterMs=` the pod resets every connection from then on; `&healAfterMs=` ends both, as does POST
 * `/pass-readiness` while it can still be reached.
 */
export function answerHttp(
  config: EchoConfig,
  state: EchoState,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '/', 'http://echo');
  const { remoteAddress, remotePort, localAddress, localPort } = request.socket;
  const client = hostPort(remoteAddress, remotePort);
  const reply = (status: number, body: string, type = 'text/plain') => {
    if (state.terminating) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  };
  switch (`${request.method === 'POST' ? 'POST ' : ''}${url.pathname}`) {
    case '/healthz':
    case '/readyz':
      reply(state.ready ? 200 : 503, state.ready ? 'ok' : 'told to fail');
      break;
    case 'POST /fail-readiness': {
      const msOf = (name: string) => {
        const text = url.searchParams.get(name);
        return text === null ? undefined : Number(text);
      };
      state.fail(msOf('breakAfterMs'), msOf('healAfterMs'));
      reply(200, 'failing');
      break;
    }
    case 'POST /pass-readiness':
      state.heal();
      reply(200, 'ready');
      break;
    case '/hostname':
      reply(200, config.pod);
      break;
    case '/clientip':
      reply(200, client);
      break;
    default: {
      const answer: EchoAnswer = {
        pod: config.pod,
        node: config.node,
        client,
        server: hostPort(localAddress, localPort),
        protocol: 'HTTP',
        request: `${request.method} ${request.url}`,
      };
      const body = `${JSON.stringify(answer)}\n`;
      const delayMs = Number(url.searchParams.get('delayMs')) || 0;
      setTimeout(() => reply(200, body, 'application/json'), delayMs);
    }
  }
}
