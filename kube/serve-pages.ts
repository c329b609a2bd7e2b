import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Logger } from './log.ts';

/** What a path answers. */
export interface Page {
  status: number;
  contentType?: string;
  body: string;
}

export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface WebServer {
  /** The port that it listens on. */
  port: number;
  close(): Promise<void>;
}

/** All addresses, as Go's `net.Listen` has it: of both families where the kernel has both. */
const WILDCARD = '0.0.0.0';

/**
 * Serves pages to GET and HEAD, and refuses the rest: nothing here changes anything. Port 0 takes a free one. Rejects
 * when it can't listen.
 */
export async function serve(
  pages: Pages,
  options: { port: number; address?: string | undefined; log: Logger },
): Promise<WebServer> {
  const server = createServer((request, response) => {
    void answer(pages, request, response, options.log);
  });
  // A client that sends its request byte by byte must not hold a socket for ever.
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 256;
  const { address, log, port } = options;
  // Without a host, Node listens on `::`, or else on `0.0.0.0`.
  await listen(server, address === undefined || address === WILDCARD ? { port } : { port, host: address });
  server.on('error', (error) => log.error('WebServerFailed', { error }));
  return {
    port: portOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer(
  pages: Pages,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  const page = await choosePage(pages, request).catch((error: unknown): Page => {
    log.error('PageFailed', { url: request.url, error });
    return { status: 500, body: 'internal error\n' };
  });
  response.writeHead(page.status, {
    'content-type': page.contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

async function choosePage(pages: Pages, request: IncomingMessage): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: 'only GET and HEAD\n' };
  }
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page === undefined ? { status: 404, body: 'not found\n' } : await page();
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
