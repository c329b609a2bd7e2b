import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import { type Case, type Check, dropped, nodePort, served } from '../support/case.ts';
import { getPage } from '../support/checks.ts';
import { N1, N2, N3, P1A, P2A, P3A, type Place, X } from '../support/places.ts';
import type { EndpointSketch, ServiceSketch } from '../support/sketch.ts';

const FIXED_PORT = 30_073;
const HEALTHZ = 10_256;
const TAINT = { key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' };

const local = (endpoints: EndpointSketch[], more: ServiceSketch = {}): ServiceSketch => ({
  type: 'LoadBalancer',
  vip: 'VIP',
  endpoints,
  ...more,
  spec: { externalTrafficPolicy: 'Local', ...more.spec },
});

/** What a load balancer's health check of a node finds: status, headers and body to the letter. */
function healthCheck(of: Place, localEndpoints: number, path = '/'): Check {
  return {
    what: `health check of ${of.name} at ${path}`,
    check: async (trial, family) => {
      const { spec, metadata } = trial.service();
      const { status, headers, body } = await getPage(of, family, spec.healthCheckNodePort ?? 0, path);
      const found = {
        status,
        type: headers['content-type'],
        sniffing: headers['x-content-type-options'],
        weight: headers['x-load-balancing-endpoint-weight'],
        body,
      };
      const expected = {
        status: localEndpoints > 0 ? 200 : 503,
        type: 'application/json',
        sniffing: 'nosniff',
        weight: String(localEndpoints),
        body: [
          '{',
          '\t"service": {',
          `\t\t"namespace": "${metadata.namespace}",`,
          `\t\t"name": "${metadata.name}"`,
          '\t},',
          `\t"localEndpoints": ${localEndpoints},`,
          '\t"serviceProxyHealthy": true',
          '}',
        ].join('\n'),
      };
      const [is, must] = [found, expected].map((each) => JSON.stringify(each));
      return is === must ? undefined : `expected ${must}, found ${is}`;
    },
  };
}

/** Nobody listens there. */
function healthCheckClosed(of: Place, port: number): Check {
  return {
    what: `health check port of ${of.name}`,
    check: async (_, family) => {
      try {
        return `expected nobody, found status ${(await getPage(of, family, port)).status}`;
      } catch (error) {
        const refused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
        return refused ? undefined : `expected ECONNREFUSED, was ${error}`;
      }
    },
  };
}

function nodeHealth(of: Place, path: '/healthz' | '/livez', expected: number, eligible?: boolean): Check {
  return {
    what: `${path} of ${of.name}`,
    check: async (_, family) => {
      const { status, headers, body } = await getPage(of, family, HEALTHZ, path);
      if (status !== expected) return `expected status ${expected}, found ${status}: ${body}`;
      if (headers['content-type'] !== 'application/json') return `is ${headers['content-type']}`;
      const told: unknown = JSON.parse(body);
      if (typeof told !== 'object' || told === null) return `is ${body}`;
      const missing = ['lastUpdated', 'currentTime', 'healthy', 'status'].filter((name) => !(name in told));
      if (missing.length > 0) return `lacks ${missing.join(', ')}: ${body}`;
      const found = 'nodeEligible' in told ? told.nodeEligible : undefined;
      return found === eligible ? undefined : `expected nodeEligible ${eligible}, found ${found}`;
    },
  };
}

const taintN3 = (
  lab: { client: Parameters<NonNullable<Case['afterwards']>>[0]['client'] },
  taints: object[],
) =>
  lab.client
    .patch(NODE_KIND, undefined, N3.name, { spec: { taints } }, { contentType: 'merge' })
    .then(() => {});

export const HEALTH_CHECKS: readonly Case[] = [
  {
    name: '10: healthCheckNodePort tells load balancers how many endpoints the node has, on any path',
    stages: [
      {
        services: [local([P1A])],
        expect: [
          healthCheck(N1, 1),
          healthCheck(N1, 1, '/any/path'),
          healthCheck(N2, 0),
          healthCheck(N3, 0, '/healthz'),
        ],
      },
      {
        when: 'a pod has two ports, and is in two slices',
        services: [
          local([], {
            ports: [{ port: 80 }, { port: 81, targetPort: 8081 }],
            slices: [{ endpoints: [P1A] }, { endpoints: [P1A, P2A] }],
          }),
        ],
        expect: [healthCheck(N1, 1), healthCheck(N2, 1), healthCheck(N3, 0)],
      },
    ],
  },
  {
    name: '11: a node whose only endpoint terminates fails its health check, and still serves until it is gone',
    stages: [
      {
        services: [local([P1A, P3A])],
        expect: [healthCheck(N1, 1), { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) }],
      },
      {
        when: 'the endpoint of the first node terminates',
        services: [local([{ pod: P1A, state: 'terminating' }, P3A])],
        expect: [healthCheck(N1, 0), { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) }],
      },
      {
        when: 'it is gone',
        services: [local([P3A])],
        expect: [healthCheck(N1, 0), healthCheck(N3, 1), { from: X, to: nodePort(N1), expect: dropped }],
      },
    ],
  },
  {
    name: '13: externalTrafficPolicy changes to Cluster and back: health check ports and nodes follow',
    stages: [
      {
        services: [local([P1A], { spec: { healthCheckNodePort: FIXED_PORT } })],
        expect: [
          healthCheck(N1, 1),
          healthCheck(N2, 0),
          healthCheck(N3, 0),
          { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: nodePort(N2), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N3), expect: dropped },
        ],
      },
      {
        when: 'the policy is Cluster',
        services: [local([P1A], { spec: { externalTrafficPolicy: 'Cluster' } })],
        expect: [
          healthCheckClosed(N1, FIXED_PORT),
          healthCheckClosed(N2, FIXED_PORT),
          healthCheckClosed(N3, FIXED_PORT),
          { from: X, to: nodePort(N1), expect: served([P1A], { as: N1 }) },
          { from: X, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
          { from: X, to: nodePort(N3), expect: served([P1A], { as: N3 }) },
        ],
      },
      {
        when: 'the policy is Local again',
        services: [local([P1A], { spec: { healthCheckNodePort: FIXED_PORT } })],
        expect: [
          healthCheck(N1, 1),
          healthCheck(N2, 0),
          { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N2), expect: dropped },
        ],
      },
    ],
  },
  {
    name: 'further: a node that is to be deleted fails /healthz, so that load balancers leave it; /livez does not care',
    exclusive: true,
    afterwards: (lab) => taintN3(lab, []),
    stages: [
      {
        services: [],
        expect: [nodeHealth(N3, '/healthz', 200, true), nodeHealth(N3, '/livez', 200)],
      },
      {
        when: 'the cluster autoscaler has marked it',
        act: ({ lab }) => taintN3(lab, [TAINT]),
        expect: [
          nodeHealth(N3, '/healthz', 503, false),
          nodeHealth(N3, '/livez', 200),
          nodeHealth(N1, '/healthz', 200, true),
        ],
      },
    ],
  },
];
