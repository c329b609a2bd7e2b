import type { KubeObject } from './objects.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Takes away what nothing here reads and what often is half of an object: `managedFields` and kubectl's last-applied
 * annotation. Changes the object in place: it is fresh from the parser. `managedFields` is the last field that the server
 * writes into metadata, and deleting the last one keeps an object's fast layout.
 */
export function stripObject<T extends KubeObject>(object: T): T {
  const metadata: KubeObject['metadata'] & { managedFields?: unknown } = object.metadata;
  if (metadata.managedFields !== undefined) delete metadata.managedFields;
  const annotations = metadata.annotations;
  if (annotations?.[LAST_APPLIED] !== undefined) {
    const { [LAST_APPLIED]: _, ...rest } = annotations;
    metadata.annotations = rest;
  }
  return object;
}
