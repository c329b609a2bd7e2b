import type { LoadBalancerIngress } from '../../kube/objects.ts';
import type { Finding, ProviderStatus, Traffic } from '../provider.ts';
import type { HeardReport } from './edges.ts';

/** What is served where, and what isn't possible with HAProxy. */
export interface HaproxyModel {
  provider: string;
  /** Each edge adds the addresses to its machine, and asks no other. */
  addedByEach: boolean;
  addresses: string[];
  /** Frontends that HAProxy has no way to serve, as `53/UDP`. */
  unserved: string[];
}

/**
 * How a load balancer stands by what its edges say. An address is shown once one edge listens on it; what is wrong on one
 * edge is told, though others serve. A silent one counts only as long as none that is heard serves: its HAProxy goes on
 * without it, as far as anybody knows.
 */
export function describeReports(model: HaproxyModel, all: readonly HeardReport[]): ProviderStatus {
  const heard = all.filter(({ silentSeconds }) => silentSeconds === undefined);
  const reports = heard.some(({ serving }) => serving) ? heard : all;
  const serving = reports.filter((report) => report.serving);
  const listened = new Set(serving.flatMap(({ addresses = [] }) => addresses));
  const ingress = model.addresses.filter((address) => listened.has(address)).map(toIngress);
  const notProgrammed = findFault(model, reports, serving);
  const counted = serving.flatMap(({ name, targets }) =>
    targets === undefined ? [] : [{ name, ...targets }],
  );
  // Each edge checks all of them: the one that sees most of them is nearest to the truth.
  const [best] = [...counted].sort((a, b) => b.healthy - a.healthy);
  const status: ProviderStatus = {
    ingress,
    traffic: findTraffic(serving),
    ...(notProgrammed === undefined ? {} : { notProgrammed }),
  };
  if (best === undefined) return status;
  const targets = { desired: best.desired, healthy: best.healthy };
  const ill = counted.filter(({ desired, healthy }) => healthy < desired || desired === 0);
  if (ill.length === 0) return { ...status, targets };
  const where = ill.map(({ name, desired, healthy }) => `${healthy} of ${desired} seen by edge "${name}"`);
  return {
    ...status,
    targets,
    unhealthy: { reason: 'TargetsUnhealthy', message: `Healthy targets: ${where.join(', ')}.` },
  };
}

/** What one edge can't do, another may. */
function findTraffic(serving: readonly HeardReport[]): Traffic {
  const able = serving.filter(
    ({ silentSeconds, targets }) => silentSeconds === undefined && targets?.healthy !== 0,
  );
  if (able.length === 0) return 'Stops';
  return able.some(({ unproven }) => unproven !== true) ? 'Passes' : 'Unknown';
}

function findFault(
  { addedByEach, provider, unserved }: HaproxyModel,
  reports: readonly HeardReport[],
  serving: readonly HeardReport[],
): Finding | undefined {
  const faults = reports.flatMap(({ name, reason, message }) =>
    reason === undefined ? [] : [{ reason, message: `Edge "${name}": ${message ?? reason}` }],
  );
  const conflict = addedByEach ? findConflict(provider, serving) : undefined;
  if (conflict !== undefined) faults.unshift(conflict);
  const [first] = faults;
  if (first !== undefined)
    return { reason: first.reason, message: faults.map(({ message }) => message).join(' ') };
  if (unserved.length > 0) return explainProtocol(unserved);
  const silent = serving
    .filter(({ silentSeconds }) => silentSeconds !== undefined)
    .map(({ name }) => `"${name}"`);
  if (silent.length > 0) return explainSilence(provider, silent);
  if (serving.length > 0) return undefined;
  return {
    reason: 'NoEdge',
    message: `No edge serves it yet: run "fairlead edge --provider ${provider}" beside an HAProxy, and see to its log.`,
  };
}

/** Two machines have one address: which of them gets a client's packets is chance, and changes. */
function findConflict(provider: string, serving: readonly HeardReport[]): Finding | undefined {
  const live = serving.filter((report) => report.live === true);
  const all = live.flatMap(({ addresses = [] }) => addresses);
  const twice = new Set(all.filter((address, index) => all.indexOf(address) !== index));
  if (twice.size === 0) return undefined;
  const names = live
    .filter(({ addresses = [] }) => addresses.some((address) => twice.has(address)))
    .map(({ name }) => `"${name}"`);
  return {
    reason: 'AddressConflict',
    message: `Edges ${names.join(' and ')} each add ${[...twice].join(', ')} to their machines, so that clients reach the one or the other, and their connections break when that changes: set haproxy.vrrp of provider "${provider}", by which one of them has the addresses at a time, or run one edge.`,
  };
}

function explainSilence(provider: string, names: readonly string[]): Finding {
  return {
    reason: 'EdgeSilent',
    message: `Nothing is heard of edge ${names.join(', ')}: its HAProxy may serve on with what it has. See whether its machine is there, and start "fairlead edge --provider ${provider}" there or elsewhere.`,
  };
}

function explainProtocol(unserved: readonly string[]): Finding {
  return {
    reason: 'ProtocolNotServed',
    message: `HAProxy forwards TCP only, so nobody answers at ${unserved.join(', ')}: take the port out, or ask another provider for it.`,
  };
}

/** KEP-1860: HAProxy opens a connection of its own to the nodes, which must not take the address themselves. */
function toIngress(ip: string): LoadBalancerIngress {
  return { ip, ipMode: 'Proxy' };
}
