import type { Case } from '../support/case.ts';
import { CLUSTER_IP } from './cluster-ip.ts';

/** Every case, by theme. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  ClusterIPs: CLUSTER_IP,
};
