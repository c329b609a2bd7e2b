import { isClass } from '../../../kube/errors.ts';
import type { JsonObject } from '../json.ts';
import { markOf } from '../owner.ts';

/**
 * The name of an application with nothing in it. AS3 removes the partition with the last application, and the device refuses
 * that, and with it the removal of the application, while something of others is there: f5-appsvcs-extension issue 924.
 */
export const PLACEHOLDER = 'fairlead_partition';

/** Marked as the cluster's, and as no Service's. */
export function buildPlaceholder(clusterId: string): JsonObject {
  const label = 'The partition has objects of others';
  const constants = markOf({ clusterId, namespace: '', name: '', serviceUid: '' });
  return { class: 'Application', template: 'generic', label, constants };
}

/** mcpd's `0107082a: All objects must be removed from a partition before the partition may be removed`. */
export function isPartitionInUse(error: unknown): boolean {
  return isClass(error, 'Rejected') && /\b0107082a\b/i.test(error.message);
}
