import type { LoadBalancerId } from '../../provider.ts';
import type { Caller } from '../calls/as3.ts';
import { addressesOf, addressField, expectLive } from '../diff/expect-live.ts';
import type { JsonObject } from '../json.ts';
import { applicationOf } from '../names.ts';
import type { FlatSettings } from '../observed.ts';
import { isSameOwner, readMark } from '../owner.ts';
import type { LooseObject } from './find-loose.ts';
import type { LiveTenant } from './flatten-live.ts';

/** A tenant as it was read, and as we wrote it since. */
export interface KnownTenant {
  unit: Caller;
  perApplication: boolean;
  applications: Map<string, JsonObject>;
  live: LiveTenant;
  /** What is in no application, and AS3 would remove. */
  loose: readonly LooseObject[];
}

/** The application under the name that it has to have. */
export function ownIn({ applications }: KnownTenant, id: LoadBalancerId): JsonObject | undefined {
  const own = applications.get(applicationOf(id));
  return isSameOwner(id, readMark(own)) ? own : undefined;
}

/** What the device has of it, with the addresses that it listens on; one that people have in /Common is theirs to set. */
export function liveOf(
  { live }: KnownTenant,
  name: string,
  application: JsonObject,
): FlatSettings | undefined {
  const settings = live.settings.get(name);
  if (settings === undefined) return undefined;
  const expected = expectLive(application);
  const addresses = addressesOf(application).map((address) => {
    const at = `${addressField(address)}.`;
    const asExpected = Object.entries(expected).filter(([field]) => field.startsWith(at));
    return live.addresses.get(address) ?? Object.fromEntries(asExpected);
  });
  return Object.assign({}, settings, ...addresses);
}

/** The name has a digest of the cluster and the Service's uid: nobody else's folder is called that. */
export function isLeftOver({ applications, live }: KnownTenant, name: string): boolean {
  return live.settings.has(name) && !applications.has(name);
}

/** What was read of it may be from before. */
export function keepAsWritten(known: KnownTenant, before: KnownTenant | undefined, name: string): void {
  const written = before?.applications.get(name);
  if (written === undefined) known.applications.delete(name);
  else known.applications.set(name, written);
  known.live.settings.delete(name);
  known.live.states.delete(name);
}
