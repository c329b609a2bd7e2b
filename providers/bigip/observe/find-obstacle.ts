import { ClassedError } from '../../../kube/errors.ts';
import type { Finding, LoadBalancerId } from '../../provider.ts';
import type { JsonObject } from '../json.ts';
import { applicationOf } from '../names.ts';
import { isSameOwner, readMark } from '../owner.ts';

/** Names of what is in the way that are told. */
const NAMED = 3;

export interface TenantContents {
  perApplication: boolean;
  applications: ReadonlyMap<string, JsonObject>;
  live: { loose: readonly string[] };
}

/**
 * Why nothing may be written: AS3 takes away whatever is in a tenant's partition and in no application of it, and with
 * declarations of whole tenants each application that isn't in them. What isn't ours is neither taken away nor declared.
 */
export function findObstacle(
  { applications, live, perApplication }: TenantContents,
  { clusterId, id, tenant }: { id: LoadBalancerId; tenant: string; clusterId: string },
): Finding | undefined {
  if (live.loose.length > 0) {
    const message = `Partition ${tenant} has objects that nobody declared, and AS3 would remove: ${name(live.loose)}. Move them to another partition, or give the provider another tenant.`;
    return { reason: 'TenantNotOurs', message };
  }
  const application = applicationOf(id);
  const taken = applications.get(application);
  if (taken !== undefined && !isSameOwner(id, readMark(taken))) {
    const message = `Application /${tenant}/${application} is there and isn't marked as this Service's: remove it, or give the provider another tenant.`;
    return { reason: 'ApplicationNotOurs', message };
  }
  if (perApplication) return undefined;
  const foreign = [...applications].flatMap(([each, declared]) =>
    readMark(declared)?.clusterId === clusterId ? [] : `/${tenant}/${each}`,
  );
  if (foreign.length === 0) return undefined;
  const message = `Tenant ${tenant} has applications of others, and this device takes whole tenants only: ${name(foreign)}. Give the provider a tenant of its own.`;
  return { reason: 'TenantNotOurs', message };
}

export function errorOfObstacle({ message, reason }: Finding): ClassedError {
  return new ClassedError(message, { class: 'Rejected', reason });
}

function name(paths: readonly string[]): string {
  const more = paths.length > NAMED ? `, and ${paths.length - NAMED} more` : '';
  return `${[...paths].sort().slice(0, NAMED).join(', ')}${more}`;
}
