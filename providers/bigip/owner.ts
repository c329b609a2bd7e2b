import type { LoadBalancerId } from '../provider.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** The name among the constants of an application, which AS3 keeps and makes nothing of. */
const MARK = 'fairlead';

/** Says in an application whose it is. */
export function markOf({ clusterId, name, namespace, serviceUid }: LoadBalancerId): JsonObject {
  return {
    class: 'Constants',
    [MARK]: { cluster: clusterId, namespace, loadBalancer: name, serviceUid },
  };
}

/** Whose an application is by its mark; undefined: it isn't Fairlead's. */
export function readMark(application: Json | undefined): LoadBalancerId | undefined {
  if (!isJsonObject(application) || !isJsonObject(application.constants)) return undefined;
  const mark = application.constants[MARK];
  if (!isJsonObject(mark)) return undefined;
  const { cluster: clusterId, loadBalancer: name, namespace, serviceUid } = mark;
  if (typeof clusterId !== 'string' || typeof name !== 'string') return undefined;
  if (typeof namespace !== 'string' || typeof serviceUid !== 'string') return undefined;
  return { clusterId, namespace, name, serviceUid };
}

export function isSameOwner(a: LoadBalancerId, b: LoadBalancerId | undefined): boolean {
  return (
    b !== undefined &&
    a.clusterId === b.clusterId &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.serviceUid === b.serviceUid
  );
}
