import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cachedFile } from './cached-file.ts';
import { loadKubeconfig } from './kubeconfig.ts';

/** PEM texts of a client certificate. */
export interface TlsMaterial {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** How to reach one API server as one user. */
export interface ConnectionConfig {
  /** `https://host:port`, with a path when the API server sits behind one. */
  server: string;
  /** PEM; without it the system's authorities. */
  ca?: string;
  cert?: string;
  key?: string;
  /** The name to verify in the server's certificate, in the place of the host. */
  serverName?: string;
  insecureSkipVerify?: boolean;
  /** The bearer token now; `fresh` skips what was remembered (after a 401). */
  token?: (fresh?: boolean) => Promise<string | undefined>;
  /** Reads the certificates anew, where they come from files or a credential plugin; `fresh` as above. */
  reloadTls?: (fresh?: boolean) => Promise<TlsMaterial>;
  namespace?: string;
}

export interface LoadOptions {
  /** Path of a kubeconfig. */
  kubeconfig?: string | undefined;
  context?: string | undefined;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The connection to use, from the first that there is: `options.kubeconfig`, `$KUBECONFIG` (the first file that exists),
 * the ServiceAccount of the Pod, `~/.kube/config`. Throws with the places looked at when there is none.
 */
export async function loadConnectionConfig(
  options: LoadOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<ConnectionConfig> {
  if (options.kubeconfig !== undefined) return await loadKubeconfig(options.kubeconfig, options.context);
  for (const path of (env.KUBECONFIG ?? '').split(delimiter)) {
    if (path !== '' && (await exists(path))) return await loadKubeconfig(path, options.context);
  }
  const inCluster = await loadInCluster(env);
  if (inCluster !== undefined) return inCluster;
  const home = join(homedir(), '.kube', 'config');
  if (await exists(home)) return await loadKubeconfig(home, options.context);
  throw new Error(
    `no way to the API server: no kubeconfig given, none of $KUBECONFIG (${env.KUBECONFIG ?? 'not set'}) exists, ` +
      `not in a Pod ($KUBERNETES_SERVICE_HOST and ${SERVICE_ACCOUNT}/token), and no ${home}`,
  );
}

/** The Pod's own ServiceAccount, or undefined outside of a Pod. */
export async function loadInCluster(
  env: NodeJS.ProcessEnv,
  folder = SERVICE_ACCOUNT,
): Promise<ConnectionConfig | undefined> {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  if (host === undefined || host === '' || !(await exists(join(folder, 'token')))) return undefined;
  const token = cachedFile(join(folder, 'token'));
  const ca = cachedFile(join(folder, 'ca.crt'));
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => undefined);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await ca(),
    token,
    reloadTls: async (fresh) => ({ ca: await ca(fresh) }),
    ...(namespace === undefined ? {} : { namespace: namespace.trim() }),
  };
}

async function exists(path: string): Promise<boolean> {
  return await readFile(path).then(
    () => true,
    () => false,
  );
}
