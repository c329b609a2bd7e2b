import type { Change, DesiredLoadBalancer, Provider } from '../provider.ts';
import { describeReports, type HaproxyModel } from './describe-reports.ts';
import type { Edges, HeardReport } from './edges.ts';
import { readOptions } from './read-options.ts';
import { validateHaproxy } from './validate-haproxy.ts';

/**
 * HAProxy outside of the cluster, driven by the edge beside it, which follows LoadBalancers, nodes and endpoints itself: it
 * goes on while the operator is down, and nobody needs to reach it. So there is nothing to apply from here, and what is
 * observed is what the edges report (docs/adr/0013).
 */
export function createHaproxyProvider(edges: Edges): Provider<HaproxyModel, readonly HeardReport[]> {
  return {
    type: 'haproxy',
    addressesFromPools: true,
    external: false,
    validate: validateHaproxy,
    readOptions,
    build: buildHaproxyModel,
    observe: async ({ id, provider }) =>
      edges
        .reportsOf(id)
        .map((report) => ({ ...report, silent: edges.isSilent(provider.name, report.name) })),
    diff: (): Change[] => [],
    apply: async () => {},
    status: describeReports,
  };
}

export function buildHaproxyModel({ provider, spec }: DesiredLoadBalancer): HaproxyModel {
  return {
    provider: provider.name,
    addresses: (spec.addresses ?? []).map(({ address }) => address),
    unserved: (spec.frontends ?? [])
      .filter(({ protocol }) => protocol !== 'TCP')
      .map(({ port, protocol }) => `${port}/${protocol}`),
  };
}
