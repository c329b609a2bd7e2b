import { setTimeout as sleep } from 'node:timers/promises';
import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import type { ProxyName } from '../../support/proxy-process.ts';
import { run } from '../../support/run.ts';
import { type Case, type Check, clusterIp, notServed, ofService, served } from '../support/case.ts';
import { getPage } from '../support/checks.ts';
import type { ConformanceLab } from '../support/lab.ts';
import { N1, N2, N3, P1A, P2A, P3A } from '../support/places.ts';
import type { ServiceSketch } from '../support/sketch.ts';
import type { Trial } from '../support/trial.ts';

const TABLE: Readonly<Record<ProxyName, string>> = { fairlead: 'fairlead', 'kube-proxy': 'kube-proxy' };
const HEALTH_PORT = 10_256;
/** So long a proxy that may not list everything is looked at. */
const HELD_MS = 3_000;

const nftOnN3 = (...args: string[]) => run('ip', 'netns', 'exec', N3.name, 'nft', ...args);
/** What is in the kernel but for what packets change. */
const readRules = async () =>
  (await nftOnN3('-s', 'list', 'ruleset'))
    .replaceAll(/ expires \w+/g, '')
    .split('\n')
    .sort()
    .join('\n');

/** A user who may read whatever a proxy reads, but EndpointSlices only from when they are told. */
async function grantLateProxy(lab: ConformanceLab, endpointSlices: boolean): Promise<void> {
  const may = (apiGroup: string, ...resources: string[]) => ({
    apiGroups: [apiGroup],
    resources,
    verbs: ['get', 'list', 'watch'],
  });
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'late-proxy' },
    rules: [
      may('', 'services', 'nodes'),
      may('networking.k8s.io', 'servicecidrs'),
      may('fairlead.dev', 'loadbalancers'),
      ...(endpointSlices ? [may('discovery.k8s.io', 'endpointslices')] : []),
    ],
  };
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'late-proxy' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'late-proxy' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'late-proxy' }],
  };
  for (const object of [role, binding]) await lab.plane.kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

/** Starts the proxy of N3 with half of the lists, and holds it there. */
async function startWithHalf({ lab, notes }: Trial): Promise<void> {
  await grantLateProxy(lab, false);
  const kubeconfig = await lab.plane.userKubeconfig('late-proxy', []);
  const proxy = await lab.exchange(N3.name, { kubeconfig });
  notes.set('rules', await readRules());
  const starting = proxy.start();
  starting.catch(() => {});
  notes.set('starting', starting);
}

const writesNothing: Check = {
  what: 'the rules of the node, while the proxy is there and has not all lists',
  check: async (trial) => {
    // It listens before it lists.
    await getPage(N3, 'IPv4', HEALTH_PORT, '/livez');
    const before = trial.notes.get('rules');
    const until = performance.now() + HELD_MS;
    while (performance.now() < until) {
      const now = await readRules();
      if (now !== before) return `were ${before}, are ${now}`;
      await sleep(100);
    }
    return undefined;
  },
};

const web: ServiceSketch = { name: 'web', endpoints: [P1A, P2A] };
const late: ServiceSketch = { name: 'late', endpoints: [P3A] };
const toLate = ofService('late', clusterIp());

const ONLY_WITH_A_CHANGE = {
  reason:
    'never looks whether its rules were altered: a table that is gone comes back with the next change of a Service or endpoint, or after an hour',
  expect: notServed,
} as const;

async function deleteTables({ lab }: Trial): Promise<void> {
  for (const family of ['ip', 'ip6']) await nftOnN3('delete', 'table', family, TABLE[lab.proxyName]);
}

export const OWN_TABLES: readonly Case[] = [
  {
    name: '24: a proxy that has not every list yet changes nothing, and what was served still is',
    exclusive: true,
    afterwards: async (lab) => {
      await grantLateProxy(lab, true);
      const { name, uid } = (await lab.client.get(NODE_KIND, undefined, N3.name)).metadata;
      await lab.reconfigure(N3.name, { kubeconfig: await lab.kubeconfigOf(name, uid ?? '') });
    },
    stages: [
      { services: [web], expect: [{ from: N3, to: clusterIp(), expect: served([P1A, P2A]) }] },
      {
        when: 'it is started anew, and may not list EndpointSlices',
        act: startWithHalf,
        awaits: [N1, N2],
        expect: [writesNothing, { from: N3, to: clusterIp(), expect: served([P1A, P2A]) }],
      },
      {
        when: 'a Service comes',
        services: [web, late],
        awaits: [N1, N2],
        expect: [
          { from: N1, to: toLate, expect: served([P3A]) },
          { from: N3, to: toLate, expect: notServed },
        ],
      },
      {
        when: 'it may',
        act: async ({ lab, notes }) => {
          await grantLateProxy(lab, true);
          await notes.get('starting');
        },
        expect: [
          { from: N3, to: toLate, expect: served([P3A]) },
          { from: N3, to: clusterIp(), expect: served([P1A, P2A]) },
        ],
      },
    ],
  },
  {
    name: '24: cleaned up, nothing of the proxy is left in the kernel; started again, all is served',
    exclusive: true,
    stages: [
      { services: [web], expect: [{ from: N3, to: clusterIp(), expect: served([P1A, P2A]) }] },
      {
        when: 'it is cleaned up',
        act: async ({ lab }) => {
          await lab.proxy(N3.name).kill();
          await lab.proxy(N3.name).cleanUp();
        },
        awaits: [N1, N2],
        expect: [
          {
            what: 'the rules of the node',
            check: async () => (await nftOnN3('list', 'ruleset')) || undefined,
          },
          { from: N3, to: clusterIp(), expect: notServed },
        ],
      },
      {
        when: 'it is started again',
        act: ({ lab }) => lab.proxy(N3.name).start(),
        expect: [{ from: N3, to: clusterIp(), expect: served([P1A, P2A]) }],
      },
    ],
  },
  {
    name: '24: tables of the proxy that somebody deletes are made again',
    exclusive: true,
    afterwards: (lab) => lab.reconfigure(N3.name, { auditSeconds: 30 }),
    stages: [
      {
        services: [web],
        act: ({ lab }) => lab.reconfigure(N3.name, { auditSeconds: 1 }),
        expect: [{ from: N3, to: clusterIp(), expect: served([P1A, P2A]) }],
      },
      {
        when: 'they are deleted, and nothing else happens',
        act: deleteTables,
        awaits: [],
        expect: [
          {
            from: N3,
            to: clusterIp(),
            expect: served([P1A, P2A]),
            differs: { 'kube-proxy': ONLY_WITH_A_CHANGE },
          },
        ],
      },
      {
        when: 'a Service comes',
        services: [web, late],
        expect: [
          { from: N3, to: toLate, expect: served([P3A]) },
          { from: N3, to: clusterIp(), expect: served([P1A, P2A]) },
        ],
      },
    ],
  },
];
