import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../support/run.ts';
import {
  type Case,
  type Check,
  clusterIp,
  dropped,
  externalIp,
  nodePort,
  REFUSED_BY_RESET,
  refused,
  served,
  vip,
} from '../support/case.ts';
import { N1, N2, N3, P1A, P1B, P2A, P3A, X } from '../support/places.ts';

const NOWHERE = { IPv4: '10.96.255.200', IPv6: 'fd00:96::ffc8' };

const ECHO = fileURLToPath(new URL('../../support/echo.pl', import.meta.url));

const echoIsRefused: Check = {
  what: 'an ICMP echo from a pod to the ClusterIP',
  check: async (trial, family) => {
    const { address } = trial.resolve(clusterIp(), 'tcp', family);
    const packets = await trial.station(P1A).watch(address, 0, async () => {
      await run('ip', 'netns', 'exec', P1A.name, 'perl', ECHO, address);
      await sleep(300);
    });
    const errors = packets.filter((packet) => /^in .* icmp (3 3|1 4) about icmp$/.test(packet));
    const replies = packets.filter((packet) => /^in .* icmp (0|129) /.test(packet));
    return errors.length === 1 && replies.length === 0
      ? undefined
      : `saw ${packets.join(', ') || 'no packet'}`;
  },
};

export const CLUSTER_IP: readonly Case[] = [
  {
    name: '1: pods reach all endpoints of a ClusterIP, about equally often, as themselves',
    stages: [
      {
        services: [{ endpoints: [P1B, P2A] }],
        expect: [
          {
            from: P1A,
            to: clusterIp(),
            times: 400,
            expect: served([P1B, P2A], { as: 'itself', share: [0.35, 0.65] }),
          },
          { from: P3A, to: clusterIp(), expect: served([P1B, P2A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '2: a pod that serves itself sees its node; another pod of that node stays itself',
    stages: [
      {
        services: [{ endpoints: [P1A] }],
        expect: [
          { from: P1A, to: clusterIp(), expect: served([P1A], { as: N1 }) },
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '3: a process of a node, and a client routed through it, are seen as that node',
    stages: [
      {
        services: [{ endpoints: [P2A] }],
        expect: [
          { from: N1, to: clusterIp(), expect: served([P2A], { as: N1 }) },
          { from: N2, to: clusterIp(), expect: served([P2A], { as: N2 }) },
          { from: X, to: clusterIp(), expect: served([P2A], { as: N1 }) },
        ],
      },
    ],
  },
  {
    name: '3: a process of a node may be the endpoint, of that node itself, too',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [N2] }],
        expect: [
          { from: P1A, to: clusterIp(), expect: served([N2], { as: 'itself' }) },
          { from: P2A, to: clusterIp(), expect: served([N2], { as: 'itself' }) },
          { from: N1, to: clusterIp(), expect: served([N2], { as: N1 }) },
          { from: N2, to: clusterIp(), expect: served([N2], { as: N2 }) },
          { from: X, to: nodePort(N1), expect: served([N2], { as: N1 }) },
          // What a node takes in itself, nothing masquerades.
          { from: X, to: nodePort(N2), expect: served([N2], { as: 'itself' }) },
        ],
      },
      {
        when: 'both policies are Local',
        services: [
          {
            type: 'NodePort',
            endpoints: [N2],
            spec: { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
          },
        ],
        expect: [
          { from: P2A, to: clusterIp(), expect: served([N2], { as: 'itself' }) },
          { from: N2, to: clusterIp(), expect: served([N2], { as: N2 }) },
          { from: X, to: nodePort(N2), expect: served([N2], { as: 'itself' }) },
          { from: P1A, to: clusterIp(), expect: dropped },
          { from: X, to: nodePort(N1), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '4: without endpoints, every address of a Service refuses pods, nodes and clients',
    stages: [
      {
        services: [{ type: 'LoadBalancer', vip: 'VIP', externalIp: true }],
        expect: [
          { from: P1A, to: clusterIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: P2A, to: nodePort(N2), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: P1A, to: externalIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: P1A, to: vip(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: N1, to: clusterIp(), expect: refused() },
          { from: N1, to: nodePort(N1), expect: refused() },
          { from: N1, to: externalIp(), expect: refused() },
          { from: N1, to: vip(), expect: refused() },
          { from: X, to: clusterIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: nodePort(N2), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: externalIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: vip(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
        ],
      },
      {
        when: 'an endpoint that is not ready comes',
        services: [
          {
            type: 'LoadBalancer',
            vip: 'VIP',
            externalIp: true,
            endpoints: [{ pod: P2A, state: 'notReady' }],
          },
        ],
        expect: [
          { from: P1A, to: clusterIp(), expect: refused() },
          { from: X, to: nodePort(N2), expect: refused() },
          { from: X, to: vip(), expect: refused() },
        ],
      },
      {
        when: 'it is ready',
        services: [{ type: 'LoadBalancer', vip: 'VIP', externalIp: true, endpoints: [P2A] }],
        expect: [
          { from: P1A, to: clusterIp(), expect: served([P2A], { as: 'itself' }) },
          { from: X, to: nodePort(N3), expect: served([P2A], { as: N3 }) },
          { from: X, to: vip(), expect: served([P2A], { as: N1 }) },
          { from: X, to: externalIp(), expect: served([P2A], { as: N1 }) },
        ],
      },
    ],
  },
  {
    name: '4: without endpoints, UDP and SCTP are refused by ICMP',
    stages: [
      {
        services: [
          {
            type: 'NodePort',
            ports: [
              { port: 80, transport: 'udp' },
              { port: 80, transport: 'sctp' },
            ],
          },
        ],
        expect: [
          { from: P1A, to: clusterIp(), transport: 'udp', expect: refused('icmp') },
          { from: X, to: nodePort(N2), transport: 'udp', expect: refused('icmp') },
          { from: P1A, to: clusterIp(), transport: 'sctp', expect: refused('icmp') },
          { from: X, to: nodePort(N2), transport: 'sctp', expect: refused('icmp') },
        ],
      },
    ],
  },
  {
    name: '5: a port that a ClusterIP does not have refuses pods and nodes; an ICMP echo is refused, too',
    stages: [
      {
        services: [{ endpoints: [P2A] }],
        expect: [
          { from: P1A, to: clusterIp(81), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: N1, to: clusterIp(81), expect: refused() },
          { from: P1A, to: clusterIp(80), transport: 'udp', expect: refused('icmp') },
          { from: P1A, to: clusterIp(80), expect: served([P2A]) },
          echoIsRefused,
        ],
      },
    ],
  },
  {
    name: '5: an address of the Service range that nobody has is silent, until a Service has it',
    stages: [
      {
        services: [],
        expect: [
          { from: P1A, to: { at: 'address', addresses: NOWHERE, port: 80 }, expect: dropped },
          { from: N1, to: { at: 'address', addresses: NOWHERE, port: 80 }, expect: dropped },
          { from: X, to: { at: 'address', addresses: NOWHERE, port: 80 }, expect: dropped },
        ],
      },
      {
        when: 'a Service has it',
        services: [{ endpoints: [P2A], clusterIp: NOWHERE }],
        expect: [
          { from: P1A, to: clusterIp(), expect: served([P2A]) },
          { from: N1, to: clusterIp(), expect: served([P2A]) },
        ],
      },
      {
        when: 'it is gone',
        services: [],
        expect: [{ from: P1A, to: { at: 'address', addresses: NOWHERE, port: 80 }, expect: dropped }],
      },
    ],
  },
];
