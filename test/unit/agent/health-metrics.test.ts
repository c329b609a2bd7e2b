import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { AgentMetrics } from '../../../agent/web/metrics.ts';

/**
 * What kube-proxy 1.36.3 registers in nftables mode: `RegisterMetrics` in its pkg/proxy/metrics/metrics.go. Types and labels
 * as there.
 */
const OF_KUBE_PROXY: [name: string, type: string, labels: string[]][] = [
  ['kubeproxy_sync_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_full_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_partial_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_last_timestamp_seconds', 'gauge', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds', 'gauge', ['ip_family']],
  ['kubeproxy_network_programming_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_endpoint_changes_pending', 'gauge', []],
  ['kubeproxy_sync_proxy_rules_endpoint_changes_total', 'counter', []],
  ['kubeproxy_sync_proxy_rules_service_changes_pending', 'gauge', []],
  ['kubeproxy_sync_proxy_rules_service_changes_total', 'counter', []],
  ['kubeproxy_sync_proxy_rules_no_local_endpoints_total', 'gauge', ['ip_family', 'traffic_policy']],
  ['kubeproxy_sync_proxy_rules_nftables_sync_failures_total', 'counter', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total', 'counter', ['ip_family']],
  ['kubeproxy_conntrack_reconciler_sync_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_conntrack_reconciler_deleted_entries_total', 'counter', ['ip_family']],
  ['kubeproxy_conntrack_reconciler_sync_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_conntrack_reconciler_deleted_entries_total', 'counter', ['ip_family']],
  ['kubeproxy_proxy_healthz_total', 'counter', ['code']],
  ['kubeproxy_proxy_livez_total', 'counter', ['code']],
];

function createMetrics(): AgentMetrics {
  return new AgentMetrics(() => ({
    services: 0,
    endpoints: 0,
    elements: 0,
    refused: 0,
    conflicts: 0,
    closedPorts: 0,
    localConnections: 0,
  }));
}

/** Every kind of thing once, so that every series is there. */
function useAll({ proxy }: AgentMetrics): void {
  proxy.serviceChanged();
  proxy.endpointsChanged();
  proxy.programmed('ip', 0.3);
  proxy.programmed('ip6', 0.3);
  proxy.committed(0.01, true);
  proxy.committed(0.01, false);
  proxy.synced();
  proxy.syncFailed();
  proxy.cleanupFailed();
  proxy.flowsCleanedUp({ family: 'ip', tookMs: 5, deleted: 2 });
  proxy.flowsCleanedUp({ family: 'ip', tookMs: 5, deleted: 1 });
  proxy.answered('healthz', 200);
  proxy.answered('livez', 503);
}

async function valuesOf(metrics: AgentMetrics, name: string): Promise<Record<string, number>> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    metric?.values
      .filter((value) => !('metricName' in value) || !String(value.metricName).endsWith('_bucket'))
      .map(({ labels, value, ...more }) => {
        const { le, ...rest } = Object.fromEntries(Object.entries(labels));
        const suffix = 'metricName' in more ? String(more.metricName).replace(name, '') : '';
        return [`${Object.values(rest).join(' ')}${suffix}`.trim(), value];
      }) ?? [],
  );
}

describe('agent: metrics under the names of kube-proxy', () => {
  for (const [name, type, labels] of OF_KUBE_PROXY) {
    it(`${name} is a ${type}${labels.length === 0 ? '' : ` by ${labels.join(' and ')}`}`, async () => {
      const metrics = createMetrics();
      useAll(metrics);
      const metric = (await metrics.registry.getMetricsAsJSON()).find((each) => each.name === name);

      expect(metric?.type).to.equal(type);
      const known = new Set(metric?.values.flatMap(({ labels: own }) => Object.keys(own)));
      known.delete('le');
      expect([...known].sort()).to.deep.equal(labels);
      expect(metric?.values).to.not.have.length(0);
    });
  }

  it('tell a transaction of both families, and of the kind that it was', async () => {
    const metrics = createMetrics();
    metrics.proxy.committed(0.25, false);

    const both = { IPv4_count: 1, IPv4_sum: 0.25, IPv6_count: 1, IPv6_sum: 0.25 };
    expect(await valuesOf(metrics, 'kubeproxy_sync_proxy_rules_duration_seconds')).to.deep.equal(both);
    expect(await valuesOf(metrics, 'kubeproxy_sync_partial_proxy_rules_duration_seconds')).to.deep.equal(
      both,
    );
    expect(await valuesOf(metrics, 'kubeproxy_sync_full_proxy_rules_duration_seconds')).to.deep.equal({});
  });

  it('count answers by their status', async () => {
    const metrics = createMetrics();
    for (const status of [200, 503, 200]) metrics.proxy.answered('healthz', status);

    expect(await valuesOf(metrics, 'kubeproxy_proxy_healthz_total')).to.deep.equal({ 200: 2, 503: 1 });
    expect(await valuesOf(metrics, 'kubeproxy_proxy_livez_total')).to.deep.equal({});
  });
});

describe('docs/metrics.md', () => {
  it('has a line for every metric of the agent, with its type, and for no other', async () => {
    const text = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    const documented = [...text.matchAll(/^\| `((?:fairlead_agent|kubeproxy)_\w+)` \| (\w+) \|/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    const metrics = await createMetrics().registry.getMetricsAsJSON();
    const own = metrics.filter(({ name }) => /^(fairlead_agent|kubeproxy)_/.test(name));

    expect(documented.sort()).to.deep.equal(own.map(({ name, type }) => `${name} ${type}`).sort());
  });
});
