import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import { type Case, clusterIp, nodePort, served } from '../support/case.ts';
import { type ConformanceLab, ZONE_LABEL, zoneOf } from '../support/lab.ts';
import { N1, N2, N3, P1A, P1B, P2A, P3A, type Place, X } from '../support/places.ts';

const zone = (node: Place) => [zoneOf(node.name)];

async function moveN3To(lab: ConformanceLab, name: string): Promise<void> {
  const labels = { [ZONE_LABEL]: name };
  await lab.client.patch(NODE_KIND, undefined, N3.name, { metadata: { labels } }, { contentType: 'merge' });
}

const hintedByZone = [
  { pod: P1A, zones: zone(N1) },
  { pod: P2A, zones: zone(N2) },
  { pod: P3A, zones: zone(N3) },
];

export const HINTS: readonly Case[] = [
  {
    name: '22: when every endpoint has hints of zones, those of the own zone serve alone',
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: hintedByZone }],
        expect: [
          { from: P1B, to: clusterIp(), times: 30, expect: served([P1A]) },
          { from: N2, to: clusterIp(), times: 30, expect: served([P2A]) },
          { from: X, to: nodePort(N3), times: 30, expect: served([P3A]) },
        ],
      },
      {
        when: 'one endpoint has none',
        services: [{ type: 'NodePort', endpoints: [...hintedByZone.slice(0, 2), P3A] }],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P1A, P2A, P3A]) }],
      },
      {
        when: 'that one is not ready',
        services: [
          { type: 'NodePort', endpoints: [...hintedByZone.slice(0, 2), { pod: P3A, state: 'notReady' }] },
        ],
        expect: [{ from: P1B, to: clusterIp(), times: 30, expect: served([P1A]) }],
      },
    ],
  },
  {
    name: '22: where no endpoint is for the own zone, all serve',
    stages: [
      {
        services: [{ endpoints: hintedByZone.slice(0, 2) }],
        expect: [
          { from: P3A, to: clusterIp(), expect: served([P1A, P2A]) },
          { from: P1B, to: clusterIp(), times: 30, expect: served([P1A]) },
        ],
      },
    ],
  },
  {
    name: '22: hints of nodes win over those of zones',
    stages: [
      {
        services: [
          {
            endpoints: [
              { pod: P1A, zones: zone(N1), nodes: [N2] },
              { pod: P2A, zones: zone(N2), nodes: [N1] },
            ],
          },
        ],
        expect: [
          { from: P1B, to: clusterIp(), times: 30, expect: served([P2A]) },
          { from: N2, to: clusterIp(), times: 30, expect: served([P1A]) },
          // None is for N3, by node or by zone.
          { from: P3A, to: clusterIp(), expect: served([P1A, P2A]) },
        ],
      },
      {
        when: 'one endpoint has no hint of a node',
        services: [
          {
            endpoints: [
              { pod: P1A, zones: zone(N1), nodes: [N2] },
              { pod: P2A, zones: zone(N2) },
            ],
          },
        ],
        expect: [{ from: P1B, to: clusterIp(), times: 30, expect: served([P1A]) }],
      },
    ],
  },
  {
    name: '22: terminating endpoints that serve for want of others do so in every zone',
    stages: [
      {
        services: [
          {
            endpoints: hintedByZone.map(({ pod, zones }) => ({ pod, zones, state: 'terminating' as const })),
          },
        ],
        expect: [{ from: P1B, to: clusterIp(), expect: served([P1A, P2A, P3A]) }],
      },
    ],
  },
  {
    name: '22: a node that is labelled with another zone follows at once',
    exclusive: true,
    afterwards: (lab) => moveN3To(lab, zoneOf(N3.name)),
    stages: [
      {
        services: [{ endpoints: hintedByZone }],
        expect: [{ from: N3, to: clusterIp(), times: 30, expect: served([P3A]) }],
      },
      {
        when: 'it is in the zone of the first node',
        act: ({ lab }) => moveN3To(lab, zoneOf(N1.name)),
        expect: [{ from: N3, to: clusterIp(), times: 30, expect: served([P1A]) }],
      },
      {
        when: 'it is in a zone without endpoints',
        act: ({ lab }) => moveN3To(lab, 'elsewhere'),
        expect: [{ from: N3, to: clusterIp(), expect: served([P1A, P2A, P3A]) }],
      },
    ],
  },
];
