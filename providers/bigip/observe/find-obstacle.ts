import { ClassedError } from '../../../kube/errors.ts';
import type { Finding, LoadBalancerId } from '../../provider.ts';
import type { JsonObject } from '../json.ts';
import { applicationOf, isApplicationName } from '../names.ts';
import { isSameOwner, readMark } from '../owner.ts';
import type { LooseObject } from './find-loose.ts';

/** Names of what is in the way that are told. */
const NAMED = 3;

export interface TenantContents {
  perApplication: boolean;
  applications: ReadonlyMap<string, JsonObject>;
  /** What lies directly in the partition, and no application uses. */
  loose: readonly LooseObject[];
  /** Names of folders in the partition, declared or not. */
  folders: Iterable<string>;
}

export interface ObstacleQuestion {
  id: LoadBalancerId;
  tenant: string;
  clusterId: string;
  /** An application is to go: alone, AS3 removes little else with it. */
  isRemoval: boolean;
}

/**
 * Why nothing may be written: AS3 takes away whatever is in a tenant's partition and in no application of it, and with
 * declarations of whole tenants each application that isn't in them. What isn't ours is neither taken away nor declared.
 */
export function findObstacle(
  { applications, folders, loose, perApplication }: TenantContents,
  { clusterId, id, isRemoval, tenant }: ObstacleQuestion,
): Finding | undefined {
  const inTheWay = isRemoval && perApplication ? loose.filter(({ isAtRisk }) => isAtRisk) : loose;
  if (inTheWay.length > 0) {
    const message = `Partition ${tenant} has objects that nobody declared, and AS3 would remove: ${name(inTheWay.map(({ path }) => path))}. Move them to another partition, or give the provider another tenant.`;
    return { reason: 'TenantNotOurs', message };
  }
  const application = applicationOf(id);
  const taken = applications.get(application);
  if (taken !== undefined && !isSameOwner(id, readMark(taken))) {
    const message = `Application /${tenant}/${application} is there and isn't marked as this Service's: remove it, or give the provider another tenant.`;
    return { reason: 'ApplicationNotOurs', message };
  }
  if (perApplication) return undefined;
  const declared = [...applications].flatMap(([each, declaration]) =>
    readMark(declaration)?.clusterId === clusterId ? [] : each,
  );
  const byHand = [...folders].filter((each) => !applications.has(each) && !isApplicationName(each));
  const foreign = [...declared, ...byHand].map((each) => `/${tenant}/${each}`);
  if (foreign.length === 0) return undefined;
  const message = `Tenant ${tenant} has applications or folders of others, and this device takes whole tenants only: ${name(foreign)}. Give the provider a tenant of its own.`;
  return { reason: 'TenantNotOurs', message };
}

export function errorOfObstacle({ message, reason }: Finding): ClassedError {
  return new ClassedError(message, { class: 'Rejected', reason });
}

function name(paths: readonly string[]): string {
  const more = paths.length > NAMED ? `, and ${paths.length - NAMED} more` : '';
  return `${[...paths].sort().slice(0, NAMED).join(', ')}${more}`;
}
