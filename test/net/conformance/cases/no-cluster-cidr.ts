import { CLUSTER_CIDRS } from '../../support/topology.ts';
import { type Case, clusterIp, dropped, nodePort, ofService, served, vip } from '../support/case.ts';
import type { ConformanceLab } from '../support/lab.ts';
import { N1, N2, N3, P1A, P1B, P2A, X } from '../support/places.ts';

async function tellAll(lab: ConformanceLab, clusterCidrs: readonly string[]): Promise<void> {
  await Promise.all([N1, N2, N3].map(({ name }) => lab.reconfigure(name, { clusterCidrs })));
}

const at = (target: typeof clusterIp | typeof vip) => ofService('near', target());

/** Without --cluster-cidr, nobody is known as a pod, and nobody as no pod. */
export const NO_CLUSTER_CIDR: readonly Case[] = [
  {
    name: '3, 9: without --cluster-cidr callers of ClusterIPs stay who they are, and pods are outside for Local policies',
    exclusive: true,
    afterwards: (lab) => tellAll(lab, CLUSTER_CIDRS),
    stages: [
      {
        services: [
          { name: 'web', endpoints: [P1A] },
          {
            name: 'near',
            type: 'LoadBalancer',
            vip: 'VIP',
            endpoints: [P1A],
            spec: { externalTrafficPolicy: 'Local' },
          },
          { name: 'all', type: 'NodePort', endpoints: [P1A, P2A] },
        ],
        act: ({ lab }) => tellAll(lab, []),
        expect: [
          { from: X, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: N2, to: clusterIp(), expect: served([P1A], { as: N2 }) },
          // A pod that serves itself is masqueraded all the same: it would not take the answer.
          { from: P1A, to: clusterIp(), expect: served([P1A], { as: N1 }) },
          // What comes from outside to a node port is masqueraded as ever.
          { from: X, to: ofService('all', nodePort(N1)), expect: served([P1A, P2A], { as: N1 }) },
          { from: P1B, to: ofService('all', nodePort(N1)), expect: served([P1A, P2A], { as: N1 }) },
          { from: X, to: at(vip), expect: served([P1A], { as: 'itself' }) },
          { from: P1B, to: at(vip), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: at(clusterIp), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: at(vip), expect: dropped },
          { from: P2A, to: ofService('near', nodePort(N2)), expect: dropped },
          // Not so the node itself, which its own kernel knows.
          { from: N2, to: at(vip), expect: served([P1A], { as: N2 }) },
          { from: N2, to: ofService('near', nodePort(N2)), expect: served([P1A], { as: N2 }) },
        ],
      },
    ],
  },
];
