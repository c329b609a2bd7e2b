import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import { ipBatch } from '../../support/run.ts';
import {
  type Case,
  type Check,
  clusterIp,
  externalIp,
  nodePort,
  notServed,
  served,
} from '../support/case.ts';
import { dialFrom } from '../support/checks.ts';
import { describe } from '../support/judge.ts';
import type { ConformanceLab } from '../support/lab.ts';
import { type Family, N1, N2, N3, P1A, P1B, P2A, P3A, X } from '../support/places.ts';
import type { PortSketch, ServiceSketch } from '../support/sketch.ts';

const NEW_ADDRESSES = { IPv4: '10.89.0.93', IPv6: 'fd00:89::93' };
/** Bytes of a conversation that fills many packets. */
const MUCH = 200_000;
const SMALL_MTU = 1300;

const manyPorts: PortSketch[] = (['tcp', 'udp', 'sctp'] as const).flatMap((transport) =>
  Array.from({ length: 32 }, (_, index) => ({ port: 1000 + index, transport })),
);

const everyNodePort: Check = {
  what: 'each of 32 node ports of three protocols',
  check: async (trial, family) => {
    const told = await Promise.all(
      manyPorts.map(async ({ port, transport = 'tcp' }) => {
        const outcomes = await dialFrom(trial, family, X, nodePort(N1, port), { transport });
        return outcomes.every((each) => each.result === 'served' && each.by === P2A.name)
          ? undefined
          : `${transport} ${port}: ${describe(outcomes)}`;
      }),
    );
    return told.filter((problem) => problem !== undefined).join(', ') || undefined;
  },
};

/** IPv4 endpoints of a thousand addresses that P3A has besides its own, and the same of IPv6. */
const THOUSAND = Array.from({ length: 1000 }, (_, index) => ({
  name: P3A.name,
  node: N3,
  addresses: {
    IPv4: `10.244.${128 + (index >> 8)}.${index & 255}`,
    IPv6: `fd00:244:3:1::${(index + 1).toString(16)}`,
  },
}));

async function setManyAddresses(what: 'add' | 'del'): Promise<void> {
  const [v4, v6] = ['10.244.128.0/22', 'fd00:244:3:1::/64'];
  // A pod answers ARP for what it takes as local, but no neighbour solicitation.
  const through = `via ${P3A.addresses.IPv6} dev ${P3A.name} onlink`;
  await ipBatch([`route ${what} ${v4} dev ${P3A.name}`, `route ${what} ${v6} ${through}`], N3.name);
  await ipBatch([`route ${what} local ${v4} dev lo`, `route ${what} local ${v6} dev lo`], P3A.name);
  await ipBatch([`route ${what} ${v4} via ${N3.addresses.IPv4}`], N1.name);
}

const meetsMany: Check = {
  what: 'connections to a thousand endpoints',
  check: async (trial, family) => {
    const outcomes = await dialFrom(trial, family, P1B, clusterIp(), { times: 1000 });
    const met = new Set(outcomes.map((each) => (each.result === 'served' ? each.on : undefined)));
    // 1000 throws at 1000 places meet 632 of them, give or take ten.
    if (outcomes.every(({ result }) => result === 'served') && met.size > 560 && met.size < 700)
      return undefined;
    return `met ${met.size}: ${describe(outcomes)}`;
  },
};

/** The addresses that N3 is known by, and has; its own stays, since the cluster is reached through it. */
async function moveN3(lab: ConformanceLab, addresses: Readonly<Record<Family, string>>): Promise<void> {
  await lab.client.patch(
    NODE_KIND,
    undefined,
    N3.name,
    {
      status: {
        addresses: [addresses.IPv4, addresses.IPv6].map((address) => ({ type: 'InternalIP', address })),
      },
    },
    { contentType: 'merge', subresource: 'status' },
  );
}

const atNewAddress = { at: 'nodePortOn', addresses: NEW_ADDRESSES } as const;
const setMtu = (mtu: number) => ipBatch([`link set ${P3A.name} mtu ${mtu}`], N3.name);
const anyNodePort: ServiceSketch = { type: 'NodePort', endpoints: [P1A] };
const ENDS_BY_ITSELF = {
  reason:
    'ends its own process when the addresses of its node change, and serves the new ones once somebody has started it again',
  expect: notServed,
} as const;

const ONLY_BY_RULE = {
  reason:
    'spec.externalIPs are served only where a rule of --external-ips allows them, since anybody who may create Services could otherwise take any address (CVE-2020-8554); kube-proxy serves them all by default until 1.40',
  expect: notServed,
} as const;

export const FURTHER: readonly Case[] = [
  {
    name: 'further: 32 node ports on each of TCP, UDP and SCTP',
    stages: [
      { services: [{ type: 'NodePort', ports: manyPorts, endpoints: [P2A] }], expect: [everyNodePort] },
    ],
  },
  {
    name: 'further: a thousand endpoints of one Service',
    exclusive: true,
    afterwards: () => setManyAddresses('del'),
    stages: [
      { act: () => setManyAddresses('add'), services: [{ endpoints: THOUSAND }], expect: [meetsMany] },
      {
        when: 'all but one are gone',
        services: [{ endpoints: [P2A] }],
        expect: [{ from: P1B, to: clusterIp(), times: 30, expect: served([P2A]) }],
      },
    ],
  },
  {
    name: 'further: an IPv4 ClusterIP that is dialled as an IPv6-mapped address',
    families: ['IPv4'],
    stages: [
      {
        services: [{ endpoints: [P2A] }],
        expect: [
          {
            what: 'a dial of ::ffff:<ClusterIP>',
            check: async (trial, family) => {
              const { address, port } = trial.resolve(clusterIp(), 'tcp', family);
              const outcome = await trial.station(P1A).dial('tcp', `::ffff:${address}`, port);
              return outcome.result === 'served' ? undefined : describe([outcome]);
            },
          },
        ],
      },
    ],
  },
  {
    name: 'further: "packet too big" finds its way back through the translation',
    exclusive: true,
    afterwards: async () => {
      await setMtu(1500);
    },
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P3A] }],
        act: async () => {
          await setMtu(SMALL_MTU);
        },
        expect: (
          [
            ['ClusterIP', P1A, clusterIp()],
            ['node port', X, nodePort(N1)],
          ] as const
        ).map(
          ([by, from, to]): Check => ({
            what: `a long conversation by ${by}`,
            check: async (trial, family) => {
              const dial = {
                transport: 'tcp' as const,
                ...trial.resolve(to, 'tcp', family),
                timeoutMs: 8_000,
              };
              const came = await trial.station(from).exchange(dial, MUCH);
              return came >= MUCH ? undefined : `${came} of ${MUCH} bytes came back`;
            },
          }),
        ),
      },
    ],
  },
  {
    name: 'further: node ports follow the addresses of the node',
    exclusive: true,
    afterwards: async (lab) => {
      await moveN3(lab, N3.addresses);
      await ipBatch(
        [`addr del ${NEW_ADDRESSES.IPv4}/24 dev eth0`, `addr del ${NEW_ADDRESSES.IPv6}/64 dev eth0`],
        N3.name,
      );
      if (lab.proxyName === 'kube-proxy') {
        await lab.proxy(N3.name).kill();
        await lab.proxy(N3.name).start();
      }
    },
    stages: [
      {
        services: [anyNodePort],
        act: async () => {
          await ipBatch(
            [
              `addr add ${NEW_ADDRESSES.IPv4}/24 dev eth0`,
              `addr add ${NEW_ADDRESSES.IPv6}/64 dev eth0 nodad`,
            ],
            N3.name,
          );
        },
        expect: [
          { from: P1A, to: nodePort(N3), expect: served([P1A]) },
          { from: P1A, to: atNewAddress, expect: notServed },
        ],
      },
      {
        when: 'the Node has other addresses',
        act: ({ lab }) => moveN3(lab, NEW_ADDRESSES),
        // Its proxy may have ended.
        awaits: [N1, N2],
        expect: [
          { from: P1A, to: atNewAddress, expect: served([P1A]), differs: { 'kube-proxy': ENDS_BY_ITSELF } },
          {
            from: P1A,
            to: nodePort(N3),
            expect: notServed,
            differs: { 'kube-proxy': { ...ENDS_BY_ITSELF, expect: served([P1A]) } },
          },
        ],
      },
    ],
  },
  {
    name: 'further: external IPs that no rule of the cluster allows',
    exclusive: true,
    afterwards: async (lab) => {
      if (lab.proxyName === 'fairlead') await lab.reconfigure(N1.name, { externalIps: '*=0.0.0.0/0,*=::/0' });
    },
    stages: [
      {
        services: [{ externalIp: true, endpoints: [P2A] }],
        act: async ({ lab }) => {
          if (lab.proxyName === 'fairlead') await lab.reconfigure(N1.name, { externalIps: '' });
        },
        expect: [
          { from: X, to: externalIp(), expect: served([P2A]), differs: { fairlead: ONLY_BY_RULE } },
          { from: P1A, to: externalIp(), expect: served([P2A]), differs: { fairlead: ONLY_BY_RULE } },
          { from: P1A, to: clusterIp(), expect: served([P2A]) },
        ],
      },
    ],
  },
];
