import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import { apiVersionOf, type ResourceType } from './resources.ts';

export interface ApplyOptions {
  /** Who owns the fields: fields that it applied before and leaves out now are removed. */
  fieldManager: string;
  /** Take fields from other managers; without it such a field is a Conflict. @default true */
  force?: boolean;
}

/**
 * Server-side apply of what `fieldManager` has to say about an object: exactly the fields given. Creates the object when
 * it isn't there, unless `metadata.uid` or `metadata.resourceVersion` is given: then it must be that very one (Conflict).
 */
export function applyObject<T extends KubeObject, Applied extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  object: Applied,
  options: ApplyOptions,
): Promise<T> {
  const { namespace, name } = object.metadata;
  return client.patch(type, namespace, name, bodyFor(type, object), {
    contentType: 'apply',
    fieldManager: options.fieldManager,
    force: options.force ?? true,
  });
}

/**
 * Server-side apply of a status. With `metadata.uid` it must be that very object, so that neither a namesake made meanwhile
 * nor nothing at all gets the status of the dead (Conflict): give it. Without, an object that isn't there is NotFound, or
 * Rejected where the kind's validation comes first.
 */
export function applyStatus<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  object: {
    metadata: { name: string; namespace?: string | undefined; uid?: string | undefined };
    status: object;
  },
  options: ApplyOptions,
): Promise<T> {
  const { namespace, name, uid } = object.metadata;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  };
  return client.patch(type, namespace, name, bodyFor(type, { metadata, status: object.status }), {
    contentType: 'apply',
    subresource: 'status',
    fieldManager: options.fieldManager,
    force: options.force ?? true,
  });
}

function bodyFor(type: ResourceType, object: object): object {
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
}
