import type { Case } from '../support/case.ts';
import { AFFINITY } from './affinity.ts';
import { CLUSTER_IP } from './cluster-ip.ts';
import { CORNERS } from './corners.ts';
import { FILTERS } from './filters.ts';
import { FLOWS } from './flows.ts';
import { FURTHER } from './further.ts';
import { HEALTH_CHECKS } from './health-checks.ts';
import { HINTS } from './hints.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { LOAD_BALANCERS } from './load-balancers.ts';
import { NO_CLUSTER_CIDR } from './no-cluster-cidr.ts';
import { NODE_PORT } from './node-port.ts';
import { OWN_TABLES } from './own-tables.ts';
import { SHARED_ADDRESSES } from './shared-addresses.ts';
import { SLICES } from './slices.ts';
import { TRAFFIC_POLICIES } from './traffic-policies.ts';

/** Every case, by theme. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  ClusterIPs: CLUSTER_IP,
  'node ports': NODE_PORT,
  'traffic policies': TRAFFIC_POLICIES,
  'health checks': HEALTH_CHECKS,
  'load balancers': LOAD_BALANCERS,
  'shared addresses': SHARED_ADDRESSES,
  'session affinity': AFFINITY,
  'flows that go on': FLOWS,
  'slices and ports': SLICES,
  'whose Services': FILTERS,
  'topology hints': HINTS,
  'where behaviours meet': CORNERS,
  'life of the proxy': [...LIFECYCLE, ...OWN_TABLES],
  "nodes that are not told of the pods' addresses": NO_CLUSTER_CIDR,
  'further cases': FURTHER,
};

/** Run once more in clusters that have the one family only, but for what is `exclusive`. */
export const SINGLE_FAMILY_THEMES: readonly string[] = [
  'ClusterIPs',
  'node ports',
  'traffic policies',
  'health checks',
];
