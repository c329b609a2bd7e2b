import { expect } from 'chai';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { Service } from '../../../kube/objects.ts';
import { ClaimRules } from '../../chaos/support/claim-rules.ts';
import type { OrderedEvent } from '../../chaos/support/ordered-events.ts';

interface Claimed {
  address?: string;
  port?: number;
  forwardingPort?: number;
  shared?: string;
  uid?: string;
}

let revision = 0;

function loadBalancer(name: string, claimed: Claimed, type: OrderedEvent['type'] = 'ADDED'): OrderedEvent {
  const { address, port = 80, forwardingPort, shared, uid = name } = claimed;
  const object: LoadBalancer = {
    kind: 'LoadBalancer',
    metadata: { name: `${name}.p`, namespace: 'n' },
    spec: {
      service: { name, uid },
      provider: { name: 'p', type: 'announce' },
      scheme: 'Public',
      ...(address === undefined ? {} : { addresses: [{ address, family: 'IPv4', pool: 'a' }] }),
      ...(shared === undefined ? {} : { sharedAddress: shared }),
      frontends: [{ protocol: 'TCP', port, ...(forwardingPort === undefined ? {} : { forwardingPort }) }],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
    },
  };
  return { revision: ++revision, type, kind: 'LoadBalancer', object };
}

function service(name: string, ip: string): OrderedEvent {
  const object: Service = {
    kind: 'Service',
    metadata: { name, namespace: 'n', uid: name },
    spec: {},
    status: { loadBalancer: { ingress: [{ ip }] } },
  };
  return { revision: ++revision, type: 'MODIFIED', kind: 'Service', object };
}

const cases: { name: string; events: () => OrderedEvent[]; broken: RegExp | undefined }[] = [
  {
    name: 'one claims after the other let go',
    events: () => [
      loadBalancer('a', { address: '1.1.1.1' }),
      loadBalancer('a', { address: '1.1.1.1' }, 'DELETED'),
      loadBalancer('b', { address: '1.1.1.1' }),
    ],
    broken: undefined,
  },
  {
    name: 'two share under one key with different ports',
    events: () => [
      loadBalancer('a', { address: '1.1.1.1', shared: 'k' }),
      loadBalancer('b', { address: '1.1.1.1', shared: 'k', port: 81 }),
    ],
    broken: undefined,
  },
  {
    name: 'two claim one address',
    events: () => [loadBalancer('a', { address: '1.1.1.1' }), loadBalancer('b', { address: '1.1.1.1' })],
    broken: /1\.1\.1\.1 claimed by/,
  },
  {
    name: 'two share an address with the same port',
    events: () => [
      loadBalancer('a', { address: '1.1.1.1', shared: 'k' }),
      loadBalancer('b', { address: '1.1.1.1', shared: 'k' }),
    ],
    broken: /1\.1\.1\.1 claimed by/,
  },
  {
    name: 'two claim one forwarding port',
    events: () => [
      loadBalancer('a', { forwardingPort: 20000 }),
      loadBalancer('b', { forwardingPort: 20000 }),
    ],
    broken: /TCP 20000 claimed by/,
  },
  {
    name: 'an address moves, even by way of a LoadBalancer made anew',
    events: () => [
      loadBalancer('a', { address: '1.1.1.1' }),
      loadBalancer('a', { address: '1.1.1.1' }, 'DELETED'),
      loadBalancer('a', { address: '1.1.1.2' }),
    ],
    broken: /moved from 1\.1\.1\.1 to 1\.1\.1\.2/,
  },
  {
    name: 'a Service shows an address before it is claimed',
    events: () => [service('a', '1.1.1.1'), loadBalancer('a', { address: '1.1.1.1' })],
    broken: /no LoadBalancer of it claims/,
  },
];

describe('chaos/claim-rules', () => {
  for (const { name, events, broken } of cases) {
    it(`${broken === undefined ? 'allows that' : 'finds that'} ${name}`, () => {
      const rules = new ClaimRules();
      rules.replay(events());
      if (broken === undefined) expect(rules.violations).to.deep.equal([]);
      else expect(rules.violations.join()).to.match(broken);
    });
  }
});
