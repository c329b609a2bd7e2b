import { type Case, clusterIp, nodePort, type Stage, served } from '../support/case.ts';
import { flowCheck, flowFunction, openFlow, servedBy } from '../support/checks.ts';
import { FAMILIES, N1, P1A, P1B, P2A, P3A, type Place, X } from '../support/places.ts';
import type { EndpointSketch, ServiceSketch } from '../support/sketch.ts';
import type { Trial } from '../support/trial.ts';

/** A node port of one's own, known before its Service is there. */
const FIXED_PORT = 30_074;

const udp = (endpoints: EndpointSketch[], targetPort = 8080): ServiceSketch => ({
  type: 'NodePort',
  endpoints,
  ports: [{ port: 80, transport: 'udp', targetPort }],
});

/** Opens in both families: a caller in the cluster, and one outside. */
const openBoth = (transport: 'tcp' | 'udp') => (trial: Trial) =>
  openAll(trial, [
    { id: 'inside', from: P1B, to: clusterIp(), transport },
    { id: 'outside', from: X, to: nodePort(N1), transport },
  ]);

async function openAll(
  trial: Trial,
  flows: readonly ({ id: string } & Parameters<typeof openFlow>[3])[],
): Promise<void> {
  for (const family of FAMILIES) {
    await Promise.all(flows.map(({ id, ...flow }) => openFlow(trial, family, id, flow)));
  }
}

const bothServedBy = (server: Place, port?: number): Stage['expect'] => [
  flowCheck(`the flow from inside is served by ${server.name}`, P1B, 'inside', servedBy(server, port)),
  flowCheck(`the flow from outside is served by ${server.name}`, X, 'outside', servedBy(server, port)),
];

const KEEPS_STALE_FLOWS =
  'a Service that loses all endpoints keeps its conntrack entries (kubernetes/kubernetes#139629): UDP flows go on to where nobody need be any more';

export const FLOWS: readonly Case[] = [
  {
    name: '18: a UDP flow is served by the new pod when the old one is replaced',
    stages: [
      { services: [udp([P2A])], act: openBoth('udp'), expect: bothServedBy(P2A) },
      { when: 'another pod is in its place', services: [udp([P3A])], expect: bothServedBy(P3A) },
    ],
  },
  {
    name: '18: a UDP flow follows its Service to another target port',
    stages: [
      { services: [udp([P2A])], act: openBoth('udp'), expect: bothServedBy(P2A, 8080) },
      { when: 'the target port is another', services: [udp([P2A], 8081)], expect: bothServedBy(P2A, 8081) },
    ],
  },
  {
    name: '18: a UDP flow is refused when its Service has no endpoint any more, and served when it has again',
    stages: [
      { services: [udp([P2A])], act: openBoth('udp'), expect: bothServedBy(P2A) },
      {
        when: 'there is no endpoint',
        services: [udp([])],
        expect: (
          [
            ['inside', P1B],
            ['outside', X],
          ] as const
        ).map(([id, from]) => ({
          ...flowCheck(`the flow from ${id} is refused`, from, id, ({ result }) => result === 'refused'),
          differs: {
            'kube-proxy': { reason: KEEPS_STALE_FLOWS, check: flowFunction(from, id, servedBy(P2A)) },
          },
        })),
      },
      { when: 'another pod is there', services: [udp([P3A])], expect: bothServedBy(P3A) },
    ],
  },
  {
    name: '18: a UDP flow stays with a terminating endpoint that serves, until that is gone',
    stages: [
      { services: [udp([P2A])], act: openBoth('udp'), expect: bothServedBy(P2A) },
      {
        when: 'it terminates, and another is ready',
        services: [udp([{ pod: P2A, state: 'terminating' }, P3A])],
        expect: bothServedBy(P2A),
      },
      { when: 'it is gone', services: [udp([P3A])], expect: bothServedBy(P3A) },
    ],
  },
  {
    name: '18: TCP connections go on through every change around them, and when their endpoint leaves the Service',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P2A] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P2A]) }],
      },
      { when: 'flows are open', act: openBoth('tcp'), expect: bothServedBy(P2A) },
      {
        when: 'there are other endpoints',
        services: [{ type: 'NodePort', endpoints: [P1A, P2A, P3A] }],
        expect: bothServedBy(P2A),
      },
      {
        when: 'their endpoint terminates',
        services: [{ type: 'NodePort', endpoints: [P1A, { pod: P2A, state: 'terminating' }] }],
        expect: bothServedBy(P2A),
      },
      {
        when: 'their endpoint is gone from the slices',
        services: [{ type: 'NodePort', endpoints: [P1A] }],
        expect: bothServedBy(P2A),
      },
    ],
  },
  {
    name: '19: a UDP flow that was there before the endpoints is served once they come',
    stages: [
      {
        services: [udp([])],
        act: openBoth('udp'),
        expect: [
          flowCheck('the flow from inside is refused', P1B, 'inside', ({ result }) => result === 'refused'),
          flowCheck('the flow from outside is refused', X, 'outside', ({ result }) => result === 'refused'),
        ],
      },
      { when: 'an endpoint comes', services: [udp([P2A])], expect: bothServedBy(P2A) },
    ],
  },
  {
    name: '19: a UDP flow to a node port is served once a Service has that port',
    stages: [
      {
        services: [],
        act: (trial) => {
          const to = { at: 'address', addresses: N1.addresses, port: FIXED_PORT } as const;
          return openAll(trial, [{ id: 'outside', from: X, to, transport: 'udp' }]);
        },
        expect: [flowCheck('the flow is not served', X, 'outside', ({ result }) => result !== 'served')],
      },
      {
        when: 'a Service has it',
        services: [
          {
            type: 'NodePort',
            endpoints: [P2A],
            ports: [{ port: 80, transport: 'udp', nodePort: FIXED_PORT }],
          },
        ],
        expect: [flowCheck('the flow is served', X, 'outside', servedBy(P2A))],
      },
    ],
  },
];
