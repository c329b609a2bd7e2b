import { type Case, type Check, clusterIp, nodePort, refused, served } from '../support/case.ts';
import { dialFrom } from '../support/checks.ts';
import { describe } from '../support/judge.ts';
import { N1, P1A, P1B, P2A, P3A, X } from '../support/places.ts';

const HALVES = [0.35, 0.65] as const;

const portsByServer = (expected: Readonly<Record<string, number>>): Check => ({
  what: `each endpoint is reached on its own port`,
  check: async (trial, family) => {
    const outcomes = await dialFrom(trial, family, P1B, clusterIp(), { times: 40 });
    const wrong = outcomes.filter((each) => each.result !== 'served' || expected[each.by] !== each.at);
    const met = new Set(outcomes.map((each) => (each.result === 'served' ? each.by : undefined)));
    if (wrong.length === 0 && met.size === Object.keys(expected).length) return undefined;
    return describe(outcomes);
  },
});

export const SLICES: readonly Case[] = [
  {
    name: '20: the endpoints of several slices serve together',
    stages: [
      {
        services: [{ slices: [{ endpoints: [P1A] }, { endpoints: [P2A, P3A] }] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P1A, P2A, P3A]) }],
      },
      {
        when: 'one slice is gone',
        services: [{ slices: [{ endpoints: [P1A] }] }],
        expect: [{ from: P1B, to: clusterIp(), times: 30, expect: served([P1A]) }],
      },
    ],
  },
  {
    name: '20: an endpoint that is in two slices counts once',
    stages: [
      {
        services: [{ slices: [{ endpoints: [P1A, P2A] }, { endpoints: [P1A] }, { endpoints: [P1A] }] }],
        expect: [{ from: P1B, to: clusterIp(), times: 400, expect: served([P1A, P2A], { share: HALVES }) }],
      },
    ],
  },
  {
    name: '20: an endpoint that terminates in one slice and runs in another runs',
    stages: [
      {
        services: [
          {
            slices: [
              { endpoints: [{ pod: P1A, state: 'terminating' }] },
              { endpoints: [P1A, P2A] },
              { endpoints: [{ pod: P2A, state: 'terminating' }] },
            ],
          },
        ],
        expect: [{ from: P1B, to: clusterIp(), times: 400, expect: served([P1A, P2A], { share: HALVES }) }],
      },
    ],
  },
  {
    name: '20: a slice without a port number, of another port or of host names has no endpoints',
    stages: [
      {
        services: [
          {
            slices: [
              { endpoints: [P1A], ports: [{ name: 'port-0', protocol: 'TCP' }] },
              { endpoints: [P1A], ports: [{ name: 'other', protocol: 'TCP', port: 8080 }] },
              { endpoints: [P1A], addressType: 'FQDN' },
              { endpoints: [P1A], ports: [] },
            ],
          },
        ],
        expect: [{ from: P1B, to: clusterIp(), expect: refused() }],
      },
      {
        when: 'a whole slice is there, too',
        services: [
          {
            slices: [
              { endpoints: [P1A], ports: [{ name: 'port-0', protocol: 'TCP' }] },
              { endpoints: [P1A], ports: [{ name: 'other', protocol: 'TCP', port: 8080 }] },
              { endpoints: [P1A], addressType: 'FQDN' },
              { endpoints: [P2A] },
            ],
          },
        ],
        expect: [{ from: P1B, to: clusterIp(), times: 30, expect: served([P2A]) }],
      },
    ],
  },
  {
    name: '20: endpoints are as good as gone while their slice has the label of headless Services',
    stages: [
      {
        services: [{ slices: [{ endpoints: [P1A] }] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P1A]) }],
      },
      {
        when: 'the slice has the label',
        services: [{ slices: [{ endpoints: [P1A], labels: { 'service.kubernetes.io/headless': '' } }] }],
        expect: [{ from: P1B, to: clusterIp(), expect: refused() }],
      },
      {
        when: 'the label is gone',
        services: [{ slices: [{ endpoints: [P1A] }] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P1A]) }],
      },
    ],
  },
  {
    name: '23: a named target port may be another number at each endpoint',
    stages: [
      {
        services: [
          {
            slices: [
              { endpoints: [P1A] },
              { endpoints: [P2A], ports: [{ name: 'port-0', protocol: 'TCP', port: 8081 }] },
            ],
          },
        ],
        expect: [portsByServer({ [P1A.name]: 8080, [P2A.name]: 8081 })],
      },
    ],
  },
  {
    name: '23: one port number on TCP, UDP and SCTP is three ports',
    stages: [
      {
        services: [
          {
            type: 'NodePort',
            ports: [{ port: 80 }, { port: 80, transport: 'udp' }, { port: 80, transport: 'sctp' }],
            slices: [
              { endpoints: [P1A], ports: [{ name: 'port-0', protocol: 'TCP', port: 8080 }] },
              { endpoints: [P2A], ports: [{ name: 'port-1', protocol: 'UDP', port: 8080 }] },
              { endpoints: [P3A], ports: [{ name: 'port-2', protocol: 'SCTP', port: 8080 }] },
            ],
          },
        ],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: P1B, to: clusterIp(), transport: 'udp', expect: served([P2A], { as: 'itself' }) },
          { from: P1B, to: clusterIp(), transport: 'sctp', expect: served([P3A], { as: 'itself' }) },
          { from: X, to: nodePort(N1), expect: served([P1A], { as: N1 }) },
          { from: X, to: nodePort(N1), transport: 'udp', expect: served([P2A], { as: N1 }) },
          { from: X, to: nodePort(N1), transport: 'sctp', expect: served([P3A], { as: N1 }) },
        ],
      },
      {
        when: 'one of them has no endpoint',
        services: [
          {
            type: 'NodePort',
            ports: [{ port: 80 }, { port: 80, transport: 'udp' }, { port: 80, transport: 'sctp' }],
            slices: [
              { endpoints: [P1A], ports: [{ name: 'port-0', protocol: 'TCP', port: 8080 }] },
              { endpoints: [P3A], ports: [{ name: 'port-2', protocol: 'SCTP', port: 8080 }] },
            ],
          },
        ],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P1A]) },
          { from: P1B, to: clusterIp(), transport: 'udp', expect: refused('icmp') },
          { from: P1B, to: clusterIp(), transport: 'sctp', expect: served([P3A]) },
        ],
      },
    ],
  },
];
