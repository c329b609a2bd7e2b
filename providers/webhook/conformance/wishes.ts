import type { Desired } from '../contract.ts';

type Frontend = Desired['frontends'][number];

/** Of RFC 5737: nobody is there. */
export const TARGETS: Frontend['targets'] = ['203.0.113.11', '203.0.113.12'].map((address, index) => ({
  name: `node-${index + 1}`,
  addresses: [address],
  port: 30080,
  draining: false,
}));

/** One TCP port over two nodes. */
export function wish(more: Partial<Desired> = {}): Desired {
  return {
    scheme: 'Internal',
    ipFamilies: ['IPv4'],
    frontends: [frontend(80)],
    targetsMode: 'NodePort',
    drainSeconds: 0,
    externalTrafficPolicy: 'Cluster',
    ...more,
  };
}

export function frontend(port: number, targets: Frontend['targets'] = TARGETS): Frontend {
  return { name: `port-${port}`, protocol: 'TCP', port, targets };
}
