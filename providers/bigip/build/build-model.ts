import type { DesiredLoadBalancer } from '../../provider.ts';
import { configOf } from '../config-of.ts';
import type { JsonObject } from '../json.ts';
import type { BigipModel } from '../model.ts';
import { applicationOf, familyOf, poolOf, portListOf, tenantOf, virtualOf } from '../names.ts';
import { markOf } from '../owner.ts';
import { buildHealth } from './build-health.ts';
import { buildMembers, findTargets } from './build-members.ts';
import { buildPool } from './build-pool.ts';
import { buildVirtual } from './build-virtual.ts';
import { splitRanges } from './split-ranges.ts';

const LONGEST_LABEL = 64;
/** The virtual servers of a LoadBalancer name it; kept by AS3 beside it. */
const PERSISTENCE = 'persistence';

/**
 * A Service's load balancer as an AS3 application: a virtual server for each address and port, a pool for each port and
 * family. It depends on nothing but what is given, in an order of names.
 */
export function buildModel(desired: DesiredLoadBalancer): BigipModel {
  const { id, provider, spec } = desired;
  const config = configOf(provider);
  const addresses = (spec.addresses ?? []).map(({ address }) => address);
  const ranges = splitRanges(spec.sourceRanges ?? []);
  const open = addresses.filter((address) => ranges.isOpen(familyOf(address)));
  const families = [...new Set(open.map(familyOf))].sort();
  const objects: JsonObject = {};
  const pods: Record<string, string[]> = {};
  for (const frontend of spec.frontends ?? []) {
    const health = buildHealth(frontend, desired, config);
    for (const family of families) {
      const targets = findTargets(frontend, family, desired, config);
      const pool = poolOf(frontend, family);
      objects[health.name] = health.monitor;
      objects[pool] = buildPool(buildMembers(targets, config), health.name, config);
      for (const { member, pods: names } of targets) if (names.length > 0) pods[`${pool} ${member}`] = names;
    }
    for (const address of open) {
      const family = familyOf(address);
      const source = ranges.sourceOf(family);
      if (source.list !== undefined) {
        objects[source.list.name] = source.list.addresses;
        // Beside a list of sources, AS3 drops a port that isn't in a list itself: f5-appsvcs-extension issue 915.
        objects[portListOf(frontend)] = { class: 'Net_Port_List', ports: [frontend.port] };
      }
      objects[virtualOf(frontend, address)] = buildVirtual({
        frontend,
        address,
        pool: poolOf(frontend, family),
        source: source.value,
        port: source.list === undefined ? frontend.port : { use: portListOf(frontend) },
        persistence: spec.sessionAffinitySeconds === undefined ? undefined : PERSISTENCE,
        remark: `${id.namespace}/${spec.service.name}`.slice(0, LONGEST_LABEL),
        scheme: spec.scheme,
        config,
      });
    }
  }
  if (spec.sessionAffinitySeconds !== undefined && open.length > 0) {
    objects[PERSISTENCE] = {
      class: 'Persist',
      persistenceMethod: 'source-address',
      duration: spec.sessionAffinitySeconds,
    };
  }
  return {
    owner: id,
    tenant: tenantOf(provider, id.clusterId),
    application: applicationOf(id),
    declaration: {
      class: 'Application',
      template: 'generic',
      label: `${id.namespace}/${id.name}`.slice(0, LONGEST_LABEL),
      constants: markOf(id),
      ...sortKeys(objects),
    },
    addresses: open,
    drainSeconds: spec.targets.drainSeconds,
    pods,
    closed: addresses.filter((address) => !open.includes(address)),
  };
}

function sortKeys(objects: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1)));
}
