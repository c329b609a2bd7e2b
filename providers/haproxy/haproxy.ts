import type { DesiredLoadBalancer, Provider } from '../provider.ts';
import { describeReports, type HaproxyModel } from './describe-reports.ts';
import { diffReports, type ReportChange, untilForgotten } from './diff-reports.ts';
import type { Edges, HeardReport } from './edges.ts';
import { readOptions } from './read-options.ts';
import { validateHaproxy } from './validate-haproxy.ts';

/** An edge renews its Lease every ten: until then it's asked whether it did. */
const PROOF_SECONDS = 5;

/**
 * HAProxy outside of the cluster, driven by the edge beside it, which follows LoadBalancers, nodes and endpoints itself: it
 * goes on while the operator is down, and nobody needs to reach it. What is observed is what the edges report
 * (docs/adr/0013), and all that is done from here is to take out the word of one that is gone for good.
 */
export function createHaproxyProvider(
  edges: Edges,
  { forgetAfterSeconds }: { forgetAfterSeconds?: number } = {},
): Provider<HaproxyModel, readonly HeardReport[], ReportChange> {
  return {
    type: 'haproxy',
    addressesFromPools: true,
    external: false,
    validate: validateHaproxy,
    readOptions,
    build: buildHaproxyModel,
    observe: async ({ id, provider }) =>
      edges.reportsOf(id).map((report) => ({
        ...report,
        silentSeconds: edges.silentSeconds(provider.name, report.name),
        live: edges.isLive(provider.name, report.name),
        unproven: edges.isUnproven(provider.name, report.name),
      })),
    // What is to go goes with all that was said of it.
    diff: (model, reports) => (model === undefined ? [] : diffReports(reports, forgetAfterSeconds)),
    apply: ({ edge }, { id }) => edges.takeOut(id, edge),
    status: (model, reports) => {
      const status = describeReports(model, reports);
      const isUnproven = status.traffic === 'Unknown';
      const againAfterSeconds = isUnproven ? PROOF_SECONDS : untilForgotten(reports, forgetAfterSeconds);
      return againAfterSeconds === undefined ? status : { ...status, againAfterSeconds };
    },
  };
}

export function buildHaproxyModel({ provider, spec }: DesiredLoadBalancer): HaproxyModel {
  return {
    provider: provider.name,
    addedByEach: provider.spec.haproxy?.interface !== undefined && provider.spec.haproxy.vrrp === undefined,
    addresses: (spec.addresses ?? []).map(({ address }) => address),
    unserved: (spec.frontends ?? [])
      .filter(({ protocol }) => protocol !== 'TCP')
      .map(({ port, protocol }) => `${port}/${protocol}`),
  };
}
