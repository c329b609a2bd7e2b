import type { Mend } from '../mend.ts';
import { attributesOfListeners } from './attributes-of-listeners.ts';
import { attributesOfLoadBalancers } from './attributes-of-load-balancers.ts';
import { attributesOfTargetGroups } from './attributes-of-target-groups.ts';
import { deletionProtection } from './deletion-protection.ts';
import { freeAddresses } from './free-addresses.ts';
import { healthChecks } from './health-checks.ts';
import { ipAddressType } from './ip-address-type.ts';
import { keepView } from './keep-view.ts';
import { listeners } from './listeners.ts';
import { namesOfLoadBalancers } from './names-of-load-balancers.ts';
import { namesOfTargetGroups } from './names-of-target-groups.ts';
import { pages } from './pages.ts';
import { securityGroupsInUse } from './security-groups-in-use.ts';
import { securityGroupsOfLoadBalancers } from './security-groups-of-load-balancers.ts';
import { stateOfLoadBalancers } from './state-of-load-balancers.ts';
import { subnets } from './subnets.ts';
import { tags } from './tags.ts';
import { targetGroupsInUse } from './target-groups-in-use.ts';
import { targetHealth } from './target-health.ts';
import { targets } from './targets.ts';
import { tlsOfListeners } from './tls-of-listeners.ts';
import { visibility, visibilityOfSecurityGroups } from './visibility.ts';

/**
 * In their order: what became of a write is noted first, defaults are filled in before settings are compared, and a used name
 * is answered before what is asked for is looked at.
 */
export const ALL_MENDS: readonly Mend[] = [
  keepView,
  visibility,
  healthChecks,
  namesOfLoadBalancers,
  namesOfTargetGroups,
  securityGroupsOfLoadBalancers,
  subnets,
  ipAddressType,
  stateOfLoadBalancers,
  deletionProtection,
  listeners,
  tlsOfListeners,
  targetGroupsInUse,
  targets,
  targetHealth,
  attributesOfLoadBalancers,
  attributesOfTargetGroups,
  attributesOfListeners,
  tags,
  pages,
  securityGroupsInUse,
  freeAddresses,
  visibilityOfSecurityGroups,
];
