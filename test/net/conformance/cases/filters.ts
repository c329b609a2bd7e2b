import {
  type Case,
  clusterIp,
  dropped,
  externalIp,
  nodePort,
  notServed,
  served,
  vip,
} from '../support/case.ts';
import { N1, P1A, P1B, P2A, X } from '../support/places.ts';
import type { ServiceSketch } from '../support/sketch.ts';

const everywhere: ServiceSketch = {
  type: 'LoadBalancer',
  vip: 'VIP',
  externalIp: true,
  endpoints: [P2A],
};
const ofAnother: ServiceSketch = {
  ...everywhere,
  labels: { 'service.kubernetes.io/service-proxy-name': 'other' },
};

export const FILTERS: readonly Case[] = [
  {
    name: '21: headless Services have no addresses, not even external IPs',
    stages: [
      {
        services: [{ endpoints: [P1A], externalIp: true, spec: { clusterIP: 'None' } }],
        expect: [
          { from: P1B, to: externalIp(), expect: notServed },
          { from: X, to: externalIp(), expect: notServed },
        ],
      },
    ],
  },
  {
    name: '21: Services of type ExternalName have no addresses, not even external IPs',
    stages: [
      {
        services: [
          {
            type: 'ExternalName',
            endpoints: [P1A],
            externalIp: true,
            spec: { externalName: 'other.example.test' },
          },
        ],
        expect: [{ from: X, to: externalIp(), expect: notServed }],
      },
    ],
  },
  {
    name: '21: a Service that is given to another proxy is let go at every address, and taken when it comes back',
    stages: [
      {
        services: [everywhere],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P2A]) },
          { from: X, to: nodePort(N1), expect: served([P2A]) },
          { from: X, to: vip(), expect: served([P2A]) },
          { from: X, to: externalIp(), expect: served([P2A]) },
        ],
      },
      {
        when: 'it has the label of another proxy',
        services: [ofAnother],
        expect: [
          { from: P1B, to: clusterIp(), expect: dropped },
          { from: N1, to: clusterIp(), expect: dropped },
          { from: X, to: nodePort(N1), expect: notServed },
          { from: X, to: vip(), expect: notServed },
          { from: X, to: externalIp(), expect: notServed },
        ],
      },
      {
        when: 'the label is gone',
        services: [everywhere],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P2A]) },
          { from: X, to: nodePort(N1), expect: served([P2A]) },
          { from: X, to: vip(), expect: served([P2A]) },
          { from: X, to: externalIp(), expect: served([P2A]) },
        ],
      },
    ],
  },
];
