import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../../../kube/client.ts';
import { type ConnectionConfig, loadConnectionConfig } from '../../../kube/config.ts';
import type { Informer } from '../../../kube/informer.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { resource } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { TcpProxy } from '../../peers/tcp-proxy.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** The plainest kind there is: nothing but the API server touches its objects. */
export const CONFIG_MAPS = resource<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap', true);

export function configMap(namespace: string, name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

export function adminConfig(cluster: ControlPlane): Promise<ConnectionConfig> {
  return loadConnectionConfig({ kubeconfig: cluster.kubeconfig });
}

/** A client of the admin, and the proxy that it goes through. */
export async function proxiedClient(cluster: ControlPlane): Promise<{ client: KubeClient; proxy: TcpProxy }> {
  const { hostname, port } = new URL(cluster.url);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const config = await adminConfig(cluster);
  return { client: new KubeClient({ ...config, server: `https://127.0.0.1:${proxy.port}` }), proxy };
}

/** What the store says happened: `Added a`, ... */
export function recordChanges(informer: Informer<ConfigMap>): string[] {
  const seen: string[] = [];
  informer.store.onChange(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
  return seen;
}

/** Waits until `holds`; throws with `what` after `timeoutMs`. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 30_000) {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

/** The error that a promise is rejected with; throws when it isn't. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('was not rejected');
}
