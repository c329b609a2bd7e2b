import type { Caller } from '../calls/as3.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { poolsOf } from '../members.ts';
import type { MemberState } from '../observed.ts';
import { FOLDER, flattenLive, KINDS, type Listing, type LiveTenant, readStates } from './flatten-live.ts';

/** All that the device has in a partition, of the kinds that are compared: one call a kind, however many there are. */
export async function readLive(unit: Caller, tenant: string, signal: AbortSignal): Promise<LiveTenant> {
  const listing: Listing = {};
  for (const kind of KINDS) {
    listing[kind] = await list(unit, tenant, kind, signal);
  }
  return flattenLive(tenant, listing);
}

/** Names of the folders that AS3 made for applications, whether it knows of these or not. */
export async function readFolders(unit: Caller, tenant: string, signal: AbortSignal): Promise<string[]> {
  const { settings } = flattenLive(tenant, { [FOLDER]: await list(unit, tenant, FOLDER, signal) });
  return [...settings.keys()];
}

/** How the targets of one application are: one call for each of its pools. */
export async function readMemberStates(
  unit: Caller,
  { application, name, tenant }: { tenant: string; name: string; application: JsonObject },
  signal: AbortSignal,
): Promise<Record<string, MemberState>> {
  const states: Record<string, MemberState> = {};
  for (const [pool] of poolsOf(application)) {
    const path = `/mgmt/tm/ltm/pool/~${tenant}~${name}~${pool}/members`;
    const { body } = await unit.call({ method: 'GET', path, operation: 'GET ltm/pool/members', signal });
    Object.assign(states, readStates(pool, itemsOf(body)));
  }
  return states;
}

async function list(unit: Caller, tenant: string, kind: string, signal: AbortSignal): Promise<JsonObject[]> {
  const expand = kind === 'ltm/pool' ? '&expandSubcollections=true' : '';
  const path = `/mgmt/tm/${kind}?$filter=partition+eq+${tenant}${expand}`;
  const { body } = await unit.call({ method: 'GET', path, operation: `GET ${kind}`, signal });
  return itemsOf(body);
}

function itemsOf(body: unknown): JsonObject[] {
  return isJsonObject(body) && Array.isArray(body.items) ? body.items.filter(isJsonObject) : [];
}
