import { isClass } from '../../../kube/errors.ts';
import type { Caller } from '../calls/as3.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { poolsOf } from '../members.ts';
import type { MemberState } from '../observed.ts';
import { FOLDER, flattenLive, KINDS, type Listing, readStates } from './flatten-live.ts';
import { PARTITION_KINDS } from './partition-kinds.ts';

/** Calls at once for kinds of which hardly ever anything is there. */
const AT_ONCE = 4;

/** All that the device has in a partition, of the kinds that are compared: one call a kind, however many there are. */
export async function readLive(unit: Caller, tenant: string, signal: AbortSignal): Promise<Listing> {
  const listing: Listing = {};
  for (const kind of KINDS) {
    listing[kind] = await list(unit, tenant, kind, signal);
  }
  return listing;
}

/** What else AS3 would take for its own: one call a kind. Read before `readLive`, which has those that use it. */
export async function readOthers(unit: Caller, tenant: string, signal: AbortSignal): Promise<Listing> {
  const listing: Listing = {};
  const kinds = [...PARTITION_KINDS];
  const work = async () => {
    for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
      listing[kind] = await listIfKnown(unit, tenant, kind, signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    kinds.length = 0;
  }
  return listing;
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

/** Without the module, or in an older version, there is nothing of that kind; whether anybody answers is asked by `readLive`. */
async function listIfKnown(
  unit: Caller,
  tenant: string,
  kind: string,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  try {
    return await list(unit, tenant, kind, signal);
  } catch (error) {
    if (isClass(error) && (error.code === 404 || error.code === 400)) return [];
    throw error;
  }
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
