import type { KubeClient } from '../../kube/client.ts';
import { ClassedError } from '../../kube/errors.ts';
import { type ResourceType, resource } from '../../kube/resources.ts';

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

/** Asks the API server which kind a plural name stands for. NotFound when it doesn't serve it. */
export async function discoverKind(
  client: KubeClient,
  { group, version, plural }: { group: string; version: string; plural: string },
  signal?: AbortSignal,
): Promise<ResourceType> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const list = await client.request<ResourceList>('GET', path, { signal });
  const found = list.resources?.find(({ name }) => name === plural);
  if (found === undefined) {
    throw new ClassedError(`${path} has no resource "${plural}"`, {
      class: 'NotFound',
      reason: 'ResourceNotServed',
    });
  }
  return resource(group, version, plural, found.kind, found.namespaced);
}
