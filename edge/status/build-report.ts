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

/**
 * Targets by their addresses: one that serves several ports is as healthy as its worst. One that gets no new connections at
 * any of them, being in maintenance or of weight 0, isn't wanted; as long as it has some, it is draining.
 */
function countTargets(service: ServiceModel, { proxies }: EdgeState): NonNullable<EdgeReport['targets']> {
  const healthy = new Map<string, boolean>();
  const busy = new Set<string>();
  for (const { name, servers } of service.frontends) {
    const there = proxies.get(name)?.servers ?? [];
    const up = new Set(there.filter((each) => each.up).map((each) => each.name));
    const taking = servers.filter(({ weight }) => weight !== 0);
    for (const server of taking) {
      const { address } = server;
      healthy.set(address, (healthy.get(address) ?? true) && up.has(server.name));
    }
    const wanted = new Set(taking.map((each) => each.name));
    for (const server of there) {
      if (!wanted.has(server.name) && server.sessions > 0) busy.add(addressOf(server.name));
    }
  }
  const draining = [...busy].filter((address) => !healthy.has(address)).length;
  const counts = { desired: healthy.size, healthy: [...healthy.values()].filter(Boolean).length };
  return draining === 0 ? counts : { ...counts, draining };
}

/** Of a server's name, which ends with its port. */
function addressOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}
