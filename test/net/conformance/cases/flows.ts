import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Case, clusterIp, nodePort, type Stage, served } from '../support/case.ts';
import { flowCheck, flowFunction, flowId, openFlow, servedBy } from '../support/checks.ts';
import { FAMILIES, type Family, N1, P1A, P1B, P2A, P3A, type Place, X, X2 } from '../support/places.ts';
import type { EndpointSketch, ServiceSketch } from '../support/sketch.ts';
import type { Trial } from '../support/trial.ts';

/** A node port of one's own, known before its Service is there. */
const FIXED_PORT = 30_074;
/** Of two addresses of one host. */
const SHARED_PORT = 20_075;
/** The caller's own, of which no other case has connections. */
const STRAY_PORT = 20_074;
const STRAY_SEGMENT = fileURLToPath(new URL('../../support/stray-segment.pl', import.meta.url));

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

/** From the pod that serves the flow to its caller, once that has said something. */
async function sendStray(trial: Trial, family: Family): Promise<void> {
  const args = ['netns', 'exec', P2A.name, 'perl', STRAY_SEGMENT, '8080', P1B.addresses[family]];
  const sender = spawn('ip', [...args, String(STRAY_PORT), '10'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(sender, 'exit');
  await Promise.race([once(sender.stdout, 'data'), ended]);
  await trial.station(P1B).useFlow(flowId(trial, family, 'stray'), 2_000);
  const [status] = await ended;
  if (status !== 0) throw new Error('no stray segment was sent');
  // A reset, if one comes, has gone both ways by then.
  await sleep(300);
}

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
  {
    name: 'further: callers of one source port stay apart where both are masqueraded as one node',
    stages: [
      {
        services: [udp([P2A])],
        act: (trial) => {
          const more = { to: nodePort(N1), transport: 'udp', sourcePort: SHARED_PORT } as const;
          return openAll(trial, [
            { id: 'one', from: X, ...more },
            { id: 'other', from: X2, ...more },
          ]);
        },
        expect: [
          flowCheck('the one is answered', X, 'one', servedBy(P2A)),
          flowCheck('the other is answered', X2, 'other', servedBy(P2A)),
        ],
      },
    ],
  },
  {
    name: 'further: a TCP segment out of the window ends no connection',
    stages: [
      {
        services: [{ endpoints: [P2A] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P2A]) }],
      },
      {
        when: 'the server sent the caller a segment of another time',
        act: async (trial) => {
          const to = clusterIp();
          for (const family of FAMILIES) {
            await openFlow(trial, family, 'stray', {
              from: P1B,
              to,
              transport: 'tcp',
              sourcePort: STRAY_PORT,
            });
            await sendStray(trial, family);
          }
        },
        expect: [
          {
            ...flowCheck('the connection goes on', P1B, 'stray', servedBy(P2A)),
            differs: {
              'kube-proxy': {
                reason:
                  'packets that conntrack takes for invalid reach the caller untranslated, who resets the connection, unless tcpBeLiberal is set, which by default it is not (kubernetes/kubernetes#74839)',
                check: flowFunction(P1B, 'stray', ({ result }) => result !== 'served'),
              },
            },
          },
        ],
      },
    ],
  },
];
