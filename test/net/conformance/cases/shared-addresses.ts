import {
  type Case,
  clusterIp,
  dropped,
  externalIp,
  nodePort,
  notServed,
  ofService,
  served,
  vip,
} from '../support/case.ts';
import { N1, N2, P1A, P1B, P2A, P3A, X, X2 } from '../support/places.ts';
import type { PortSketch, ServiceSketch } from '../support/sketch.ts';

/** Has the address that all of a case share. */
const first = (more: Partial<ServiceSketch> = {}): ServiceSketch => ({
  name: 'first',
  type: 'LoadBalancer',
  vip: 'VIP',
  endpoints: [P1A],
  ...more,
});
const second = (ports: readonly PortSketch[], more: Partial<ServiceSketch> = {}): ServiceSketch => ({
  name: 'second',
  addressesOf: 'first',
  type: 'LoadBalancer',
  vip: 'VIP',
  ports,
  endpoints: [P2A],
  ...more,
});
const at = (service: string, port: number) => ofService(service, vip(port));

/** One VIP for the ports of several Services, as `fairlead.dev/shared-address` and MetalLB give it. */
export const SHARED_ADDRESSES: readonly Case[] = [
  {
    name: 'further: two Services with ports of their own share a VIP, and each outlives the other',
    stages: [
      {
        services: [first(), second([{ port: 81 }])],
        expect: [
          { from: X, to: at('first', 80), expect: served([P1A], { as: N1 }) },
          { from: X, to: at('second', 81), expect: served([P2A], { as: N1 }) },
          { from: P1B, to: at('second', 81), expect: served([P2A], { as: N1 }) },
          { from: N2, to: at('first', 80), expect: served([P1A], { as: N2 }) },
          { from: X, to: at('first', 82), expect: dropped },
        ],
      },
      {
        when: 'the first is gone',
        services: [second([{ port: 81 }])],
        expect: [
          { from: X, to: at('second', 80), expect: dropped },
          { from: X, to: at('second', 81), expect: served([P2A], { as: N1 }) },
        ],
      },
      {
        when: 'the first is back, and the second gone',
        services: [first()],
        expect: [
          { from: X, to: at('first', 80), expect: served([P1A], { as: N1 }) },
          { from: X, to: at('first', 81), expect: dropped },
        ],
      },
    ],
  },
  {
    name: 'further: one port number of a shared VIP is of one Service by TCP and of another by UDP',
    stages: [
      {
        services: [first(), second([{ port: 80, transport: 'udp' }])],
        expect: [
          { from: X, to: at('first', 80), expect: served([P1A], { as: N1 }) },
          { from: X, to: at('second', 80), transport: 'udp', expect: served([P2A], { as: N1 }) },
          { from: P3A, to: at('second', 80), transport: 'udp', expect: served([P2A]) },
        ],
      },
      {
        when: 'the one of UDP has no port there any more',
        services: [first(), second([{ port: 81, transport: 'udp' }])],
        expect: [
          { from: X, to: at('first', 80), expect: served([P1A], { as: N1 }) },
          { from: X, to: at('first', 80), transport: 'udp', expect: notServed },
          { from: X, to: at('second', 81), transport: 'udp', expect: served([P2A], { as: N1 }) },
        ],
      },
    ],
  },
  {
    name: 'further: policies and source ranges of one Service say nothing of another that shares its VIP',
    stages: [
      {
        services: [
          first({
            spec: {
              externalTrafficPolicy: 'Local',
              loadBalancerSourceRanges: [`${X.addresses.IPv4}/32`, `${X.addresses.IPv6}/128`],
            },
          }),
          second([{ port: 81 }]),
        ],
        expect: [
          { from: X, to: at('first', 80), expect: served([P1A], { as: 'itself' }) },
          { from: X2, to: at('first', 80), expect: dropped },
          { from: P3A, to: at('first', 80), expect: dropped },
          { from: X2, to: at('second', 81), expect: served([P2A], { as: N1 }) },
          { from: P3A, to: at('second', 81), expect: served([P2A]) },
        ],
      },
      {
        when: 'the first has its endpoint on another node',
        services: [
          first({ endpoints: [P3A], spec: { externalTrafficPolicy: 'Local' } }),
          second([{ port: 81 }]),
        ],
        expect: [
          { from: X, to: at('first', 80), expect: dropped },
          { from: P2A, to: at('first', 80), expect: served([P3A], { as: 'itself' }) },
          { from: X2, to: at('second', 81), expect: served([P2A], { as: N1 }) },
        ],
      },
    ],
  },
  {
    name: 'further: two Services share an external IP, each with ports and node ports of its own',
    stages: [
      {
        services: [
          { name: 'first', type: 'NodePort', externalIp: true, endpoints: [P1A] },
          {
            name: 'second',
            addressesOf: 'first',
            type: 'NodePort',
            externalIp: true,
            ports: [{ port: 81 }],
            endpoints: [P2A],
          },
        ],
        expect: [
          { from: X, to: ofService('first', externalIp(80)), expect: served([P1A], { as: N1 }) },
          { from: X, to: ofService('second', externalIp(81)), expect: served([P2A], { as: N1 }) },
          { from: X, to: ofService('second', nodePort(N2, 81)), expect: served([P2A], { as: N2 }) },
          { from: P1B, to: ofService('second', clusterIp(81)), expect: served([P2A]) },
        ],
      },
    ],
  },
];
