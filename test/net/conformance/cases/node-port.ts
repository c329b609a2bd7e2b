import { ipBatch } from '../../support/run.ts';
import { type Case, nodePort, notServed, served } from '../support/case.ts';
import { N1, N2, N3, NODES, P1A, P1B, P2A, X } from '../support/places.ts';

const outsideOf = (index: number) => {
  const node = NODES[index];
  return { IPv4: node?.outside ?? '', IPv6: node?.outside6 ?? '' };
};
const OUTSIDE_OF_N2 = outsideOf(1);
const LOCALHOST = { IPv4: '127.0.0.1', IPv6: '::1' };

const ON_LO = { IPv4: '198.18.0.78', IPv6: 'fd00:198::78' };
const addressOfLo = async (what: 'add' | 'del') => {
  await ipBatch([`addr ${what} ${ON_LO.IPv4}/32 dev lo`, `addr ${what} ${ON_LO.IPv6}/128 dev lo`], N3.name);
};

export const NODE_PORT: readonly Case[] = [
  {
    name: '7: a node port answers on every node, by all endpoints, which see that node',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P1A, P2A] }],
        expect: [
          { from: X, to: nodePort(N1), expect: served([P1A, P2A], { as: N1 }) },
          { from: X, to: nodePort(N2), expect: served([P1A, P2A], { as: N2 }) },
          { from: X, to: nodePort(N3), expect: served([P1A, P2A], { as: N3 }) },
          { from: P1B, to: nodePort(N3), expect: served([P1A, P2A], { as: N3 }) },
          { from: P1B, to: nodePort(N1), expect: served([P1A, P2A], { as: N1 }) },
          { from: N3, to: nodePort(N3), expect: served([P1A, P2A], { as: N3 }) },
        ],
      },
    ],
  },
  {
    name: '7: with nodePortAddresses primary, other addresses of the node and localhost do not answer',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P2A] }],
        expect: [
          { from: X, to: nodePort(N2), expect: served([P2A], { as: N2 }) },
          { from: X, to: { at: 'nodePortOn', addresses: OUTSIDE_OF_N2 }, expect: notServed },
          { from: N2, to: { at: 'nodePortOn', addresses: LOCALHOST }, expect: notServed },
        ],
      },
    ],
  },
  {
    name: '7: with CIDRs as nodePortAddresses, those addresses answer, and no other',
    exclusive: true,
    afterwards: (lab) => lab.reconfigure(N2.name, { nodePortAddresses: 'primary' }),
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P1A] }],
        act: ({ lab }) =>
          lab.reconfigure(N2.name, { nodePortAddresses: ['198.18.0.0/24', 'fd00:198::/64', '127.0.0.0/8'] }),
        expect: [
          { from: X, to: { at: 'nodePortOn', addresses: OUTSIDE_OF_N2 }, expect: served([P1A], { as: N2 }) },
          { from: X, to: nodePort(N2), expect: notServed },
          { from: N2, to: { at: 'nodePortOn', addresses: LOCALHOST }, expect: notServed },
          { from: X, to: nodePort(N3), expect: served([P1A], { as: N3 }) },
        ],
      },
    ],
  },
  {
    name: '7: an address of lo within nodePortAddresses answers, as a router announces one for a node',
    exclusive: true,
    afterwards: async (lab) => {
      await addressOfLo('del').catch(() => {});
      await lab.reconfigure(N3.name, { nodePortAddresses: 'primary' });
    },
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P1A] }],
        act: async ({ lab }) => {
          await addressOfLo('add');
          await lab.reconfigure(N3.name, { nodePortAddresses: ['198.18.0.0/24', 'fd00:198::/64'] });
        },
        expect: [
          { from: N3, to: { at: 'nodePortOn', addresses: ON_LO }, expect: served([P1A]) },
          { from: X, to: { at: 'nodePortOn', addresses: outsideOf(2) }, expect: served([P1A], { as: N3 }) },
        ],
      },
    ],
  },
  {
    name: '23: a node port that is changed moves; the old one is of nobody',
    stages: [
      {
        services: [{ type: 'NodePort', ports: [{ port: 80, nodePort: 30_071 }], endpoints: [P2A] }],
        expect: [{ from: X, to: nodePort(N1), expect: served([P2A]) }],
      },
      {
        when: 'the node port is another',
        services: [{ type: 'NodePort', ports: [{ port: 80, nodePort: 30_072 }], endpoints: [P2A] }],
        expect: [
          { from: X, to: nodePort(N1), expect: served([P2A]) },
          { from: X, to: { at: 'address', addresses: N1.addresses, port: 30_071 }, expect: notServed },
          { from: N1, to: { at: 'address', addresses: N1.addresses, port: 30_071 }, expect: notServed },
        ],
      },
    ],
  },
];
