import type { LoadBalancerId } from '../provider.ts';
import type { JsonObject } from './json.ts';

/** One load balancer as an AS3 application: what `build` makes, and what golden files show. Plain JSON. */
export interface BigipModel {
  owner: LoadBalancerId;
  tenant: string;
  /** The name of the application. */
  application: string;
  /** The application itself, without those targets that are on their way out. */
  declaration: JsonObject;
  /** Claimed addresses that something listens on. */
  addresses: string[];
  drainSeconds: number;
  /** Of mode Pod: the names of pods behind each member, `<pool> <member>`. */
  pods: Record<string, string[]>;
  /** Claimed addresses that nobody may connect to by the source ranges. */
  closed: string[];
}

/** An AS3 Pool_Member as it is made here: targets of one port that are alike. */
export interface MemberGroup {
  servicePort: number;
  serverAddresses: string[];
  priorityGroup?: number;
  connectionLimit?: number;
  /** The node is in /Common. */
  shareNodes?: true;
  adminState?: 'disable';
  /** Of those on their way out: until when. */
  remark?: string;
}
