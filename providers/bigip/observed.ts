import type { Finding, LoadBalancerId } from '../provider.ts';
import type { JsonObject } from './json.ts';

/** Whether a pool member gets connections, by what iControl REST says: `state` and `session`. */
export type MemberState = 'up' | 'down' | 'disabled' | 'unchecked';

/** Settings of the device by name, flat: `pool_tcp_80_ipv4.members[192.0.2.1:80]` -> `enabled`. */
export type FlatSettings = Record<string, string>;

/** What there is of one load balancer, and what the device is known to say. */
export interface BigipObserved {
  /** When it was looked, ms since 1970: targets on their way out leave by the clock. */
  now: number;
  owner: LoadBalancerId;
  tenant: string;
  /** Applications that are marked as this LoadBalancer's, as they were declared last, by name. */
  applications: Record<string, JsonObject>;
  /** The device has objects under our name that AS3 doesn't know of: it was restarted before it took down what it did. */
  isLeftOver: boolean;
  /** Of the application that is ours by name: what the device really has; undefined: not asked since it was written. */
  live?: FlatSettings | undefined;
  /** By `<pool> <member>`; undefined: never asked. */
  states?: Record<string, MemberState> | undefined;
  /** Written to the active unit, and the group doesn't have it yet. */
  unsynced: boolean;
  /** Targets aren't all up, and are asked again after this; undefined: they are. */
  lookAgainAfterSeconds?: number | undefined;
  /** Why nothing may be written to the tenant. */
  obstacle?: Finding | undefined;
}
