import type { EdgeReport } from '../../crds/haproxy-provider.ts';
import type { EdgeState } from '../keeper.ts';
import type { ServiceModel } from '../model.ts';

/** What an edge says of one load balancer, by its key. */
export function buildReport(
  key: string,
  generation: number,
  state: EdgeState,
  edge: { name: string; version: string },
): EdgeReport {
  const loaded = state.loaded.get(key);
  const serving = state.worker !== undefined && loaded !== undefined && loaded.frontends.length > 0;
  const fault = state.faults.get(key) ?? state.fatal;
  const certificates = (state.certificates.get(key)?.served ?? []).map(({ notAfter, secretName }) => ({
    secretName,
    // As the API server writes times.
    notAfter: notAfter.toISOString().replace('.000Z', 'Z'),
  }));
  const addresses = [...new Set(serving ? loaded.frontends.flatMap((each) => each.addresses) : [])].sort();
  return {
    name: edge.name,
    // One that is refused was taken in all the same: it is what is spoken of.
    observedGeneration: fault === undefined ? (loaded?.generation ?? generation) : generation,
    serving,
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(state.worker === undefined ? {} : { haproxy: state.worker.version }),
    version: edge.version,
    ...(serving ? { targets: countTargets(state.services.get(key) ?? loaded, state) } : {}),
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(fault === undefined ? {} : { reason: fault.reason, message: fault.message.slice(0, 4096) }),
  };
}

/** Targets by their addresses: one that serves several ports is as healthy as its worst. */
function countTargets(service: ServiceModel, { proxies }: EdgeState): { desired: number; healthy: number } {
  const healthy = new Map<string, boolean>();
  for (const { name, servers } of service.frontends) {
    const up = new Set((proxies.get(name)?.servers ?? []).filter((each) => each.up).map((each) => each.name));
    for (const server of servers) {
      const { address } = server;
      healthy.set(address, (healthy.get(address) ?? true) && up.has(server.name));
    }
  }
  return { desired: healthy.size, healthy: [...healthy.values()].filter(Boolean).length };
}
