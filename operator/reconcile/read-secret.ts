import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAPS, SECRETS } from '../../kube/resources.ts';

/** The decoded values of a Secret, by key. Throws NotFound where there is none. */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { data = {} } = await client.get(SECRETS, namespace, name, { signal });
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/** The texts of a ConfigMap, by key. Throws NotFound where there is none. */
export async function readConfigMap(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { data = {} } = await client.get(CONFIG_MAPS, namespace, name, { signal });
  return data;
}
