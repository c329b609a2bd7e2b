import type { Logger } from '../../kube/log.ts';
import { type Pages, serve, type WebServer } from '../../kube/serve-pages.ts';

const RETRY_MS = 5_000;

/**
 * Serves pages, now or as soon as the port is free: an agent forwards whether it is asked about it or not. As kube-proxy
 * does it. Resolves after the first try. Port 0 serves nothing. Why it can't is told once, until the reason is another.
 */
export async function keepServing(
  pages: Pages,
  { host, port }: { host: string; port: number },
  log: Logger,
  retryMs = RETRY_MS,
): Promise<{ close(): Promise<void> }> {
  let server: WebServer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let told = '';
  let trying = Promise.resolve();
  const tryOnce = async (): Promise<void> => {
    try {
      server = await serve(pages, { port, address: host, log });
    } catch (error) {
      if (String(error) !== told) log.error('CannotServe', { host, port, error, retryMs });
      told = String(error);
      if (!closed) timer = setTimeout(start, retryMs);
    }
  };
  const start = () => {
    trying = tryOnce();
  };
  if (port !== 0) start();
  await trying;
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await trying;
      await server?.close();
    },
  };
}
