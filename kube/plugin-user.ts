import type { RequestOptions } from 'node:https';
import type { ConnectionConfig, TlsMaterial } from './config.ts';
import type { Source } from './kubeconfig.ts';

/** The plugin itself keeps what it got until that expires; this spares asking it for each request. */
const REMEMBER_MS = 10_000;

interface Credentials {
  token: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/**
 * A user whose credentials come from a program (`exec`) or an `auth-provider`. Only here client-node is loaded, when first
 * asked for: it costs 87 MiB of memory and some 300 ms (docs/adr/0002), which the agents, with their token files, must not pay.
 */
export async function loadPluginUser(
  path: string,
  context: string,
  ca: Source,
): Promise<Pick<ConnectionConfig, 'ca' | 'cert' | 'key' | 'token' | 'reloadTls'>> {
  const credentials = rememberFor(REMEMBER_MS, await pluginReader(path, context));
  const reloadTls = async (fresh?: boolean): Promise<TlsMaterial> => {
    const { cert, key } = await credentials(fresh);
    return { ca: await ca?.(fresh), cert, key };
  };
  const caText = await ca?.();
  return {
    ...(caText === undefined ? {} : { ca: caText }),
    token: async (fresh) => (await credentials(fresh)).token,
    reloadTls,
  };
}

/** Asks the plugin; `fresh` makes it forget what it remembers. */
async function pluginReader(
  path: string,
  context: string,
): Promise<(fresh: boolean) => Promise<Credentials>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = () => {
    const config = new KubeConfig();
    config.loadFromFile(path);
    config.setCurrentContext(context);
    return config;
  };
  let config = load();
  return async (fresh) => {
    if (fresh) config = load();
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    return { token: bearerOf(options.headers), cert: pemOf(options.cert), key: pemOf(options.key) };
  };
}

function bearerOf(headers: RequestOptions['headers']): string | undefined {
  const header: unknown =
    headers === undefined || Array.isArray(headers) ? undefined : Object(headers).Authorization;
  return typeof header === 'string' && header.startsWith('Bearer ')
    ? header.slice('Bearer '.length)
    : undefined;
}

function pemOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

/** One call at a time, its result good for `ms`. */
function rememberFor<T>(ms: number, read: (fresh: boolean) => Promise<T>): (fresh?: boolean) => Promise<T> {
  let running: Promise<T> | undefined;
  let known: { value: T; at: number } | undefined;
  return async (fresh = false) => {
    if (known !== undefined && !fresh && performance.now() - known.at < ms) return known.value;
    running ??= read(fresh).finally(() => {
      running = undefined;
    });
    const value = await running;
    known = { value, at: performance.now() };
    return value;
  };
}
