import type { ResourceMeta } from '@dot-i/k8s-operator';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type ResourceType, resource } from '../../kube/resources.ts';

/** Writers in a row that may come between before a finalizer's write is given up. */
const MOST_CONFLICTS = 5;

/** The kind that a `ResourceMeta` is of: its id is `<plural>.<apiVersion>`. Throws for an id that isn't. */
export function typeOfMeta(meta: ResourceMeta): ResourceType {
  const suffix = `.${meta.apiVersion}`;
  if (!meta.id.endsWith(suffix) || meta.id.length === suffix.length) {
    throw new Error(`"${meta.id}" is not the id of a resource of ${meta.apiVersion}`);
  }
  const plural = meta.id.slice(0, -suffix.length);
  const slash = meta.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : meta.apiVersion.slice(0, slash);
  return resource(group, meta.apiVersion.slice(slash + 1), plural, meta.kind, meta.namespace !== undefined);
}

/**
 * Replaces the whole status, and nothing else: labels and annotations aren't written, as a PUT of a core kind would. A
 * Conflict when the object has changed since `meta`.
 */
export function replaceStatus(client: KubeClient, meta: ResourceMeta, status: unknown): Promise<KubeObject> {
  const body = [
    { op: 'replace', path: '/metadata/resourceVersion', value: meta.resourceVersion },
    { op: 'add', path: '/status', value: status },
  ];
  return client.patch(typeOfMeta(meta), meta.namespace, meta.name, body, {
    contentType: 'json',
    subresource: 'status',
  });
}

/** Merges into the status (RFC 7386). A Conflict when the object has changed since `meta`. */
export function mergeStatus(client: KubeClient, meta: ResourceMeta, status: unknown): Promise<KubeObject> {
  const body = { metadata: { resourceVersion: meta.resourceVersion }, status };
  return client.patch(typeOfMeta(meta), meta.namespace, meta.name, body, {
    contentType: 'merge',
    subresource: 'status',
  });
}

/**
 * Brings the finalizers from `before` to `after`. Others' finalizers that came or went meanwhile stay so, and a namesake
 * with another uid isn't touched. An object that is gone needs no finalizers.
 */
export async function changeFinalizers(
  client: KubeClient,
  meta: ResourceMeta,
  before: { uid: string | undefined; finalizers: readonly string[] },
  after: readonly string[],
): Promise<void> {
  const added = after.filter((one) => !before.finalizers.includes(one));
  const removed = before.finalizers.filter((one) => !after.includes(one));
  const type = typeOfMeta(meta);
  let { resourceVersion } = meta;
  let finalizers = [...after];
  for (let attempt = 1; ; attempt++) {
    try {
      const body = { metadata: { resourceVersion, finalizers } };
      await client.patch(type, meta.namespace, meta.name, body, { contentType: 'merge' });
      return;
    } catch (error) {
      if (isClass(error, 'NotFound')) return;
      if (!isClass(error, 'Conflict') || attempt > MOST_CONFLICTS) throw error;
    }
    const current = await client.get(type, meta.namespace, meta.name).catch((error: unknown) => {
      if (isClass(error, 'NotFound')) return undefined;
      throw error;
    });
    if (current === undefined || current.metadata.uid !== before.uid) return;
    const kept = (current.metadata.finalizers ?? []).filter((one) => !removed.includes(one));
    finalizers = [...kept, ...added.filter((one) => !kept.includes(one))];
    resourceVersion = current.metadata.resourceVersion ?? '';
  }
}

/** Sets the finalizers to just these, whatever they were. */
export async function setFinalizers(
  client: KubeClient,
  meta: ResourceMeta,
  finalizers: readonly string[],
): Promise<void> {
  const body = { metadata: { finalizers } };
  try {
    await client.patch(typeOfMeta(meta), meta.namespace, meta.name, body, { contentType: 'merge' });
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
}
