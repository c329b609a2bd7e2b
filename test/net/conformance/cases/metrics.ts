import { run } from '../../support/run.ts';
import { type Case, type Check, clusterIp, served } from '../support/case.ts';
import { getPage } from '../support/checks.ts';
import { N1, P1A, P2A } from '../support/places.ts';

const FAMILY = { ip_family: ['IPv4', 'IPv6'] };
const POLICY = { traffic_policy: ['external', 'internal'] };
/** What dashboards and alerts ask for, with the labels that each must have, and their values. */
const METRICS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  kubeproxy_network_programming_duration_seconds_count: FAMILY,
  kubeproxy_sync_proxy_rules_duration_seconds_count: FAMILY,
  kubeproxy_sync_full_proxy_rules_duration_seconds_count: FAMILY,
  kubeproxy_sync_partial_proxy_rules_duration_seconds_count: FAMILY,
  kubeproxy_sync_proxy_rules_last_timestamp_seconds: FAMILY,
  kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds: FAMILY,
  kubeproxy_sync_proxy_rules_no_local_endpoints_total: { ...FAMILY, ...POLICY },
  kubeproxy_sync_proxy_rules_endpoint_changes_total: {},
  kubeproxy_sync_proxy_rules_endpoint_changes_pending: {},
  kubeproxy_sync_proxy_rules_service_changes_total: {},
  kubeproxy_sync_proxy_rules_service_changes_pending: {},
  kubeproxy_proxy_healthz_total: { code: ['200'] },
  kubeproxy_proxy_livez_total: { code: ['200'] },
};
/** In the future, since a proxy ignores what was before its own start. */
const TRIGGERED = {
  'endpoints.kubernetes.io/last-change-trigger-time': new Date(Date.now() + 86_400_000).toISOString(),
};

/** A page at the loopback address of N1. */
function readPage(path: string): Promise<string> {
  const script = `fetch('http://127.0.0.1:10249/${path}').then((a) => a.text()).then((t) => console.log(t))`;
  return run('ip', 'netns', 'exec', N1.name, process.execPath, '-e', script);
}

const hasMetrics: Check = {
  what: 'the metrics of the first node',
  check: async () => {
    for (const path of ['/healthz', '/livez']) await getPage(N1, 'IPv4', 10_256, path);
    const lines = (await readPage('metrics')).split('\n');
    const problems = Object.entries(METRICS).flatMap(([name, labels]) => {
      const samples = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      const found = samples.map((line) =>
        [...line.matchAll(/(\w+)="([^"]*)"/g)]
          .map(([pair]) => pair)
          .sort()
          .join(),
      );
      const wanted = combine(labels);
      return found.sort().join('; ') === wanted.sort().join('; ') ? [] : [`${name} has ${found.join('; ')}`];
    });
    return problems.join(', ') || undefined;
  },
};

/** Every combination of values, as `label="value"` in order. */
function combine(labels: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(labels)
    .sort()
    .reduce<string[][]>(
      (all, [label, values]) =>
        values.flatMap((value) => all.map((pairs) => [...pairs, `${label}="${value}"`])),
      [[]],
    )
    .map((pairs) => pairs.join());
}

export const METRIC_NAMES: readonly Case[] = [
  {
    name: 'further: metrics have the names, labels and values that dashboards of kube-proxy ask for',
    exclusive: true,
    families: ['IPv4'],
    stages: [
      {
        services: [{ slices: [{ endpoints: [P1A], annotations: TRIGGERED }] }],
        expect: [{ from: P2A, to: clusterIp(), expect: served([P1A]) }, hasMetrics],
      },
      {
        services: [],
        expect: [
          {
            what: 'the page /proxyMode',
            check: async () => {
              const mode = (await readPage('proxyMode')).trim();
              return mode === 'nftables' ? undefined : `is ${mode}`;
            },
          },
        ],
      },
    ],
  },
];
