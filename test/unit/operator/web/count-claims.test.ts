import { expect } from 'chai';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import { countClaims } from '../../../../operator/web/count-claims.ts';
import { OperatorMetrics } from '../../../../operator/web/metrics.ts';

function loadBalancer(addresses: string[], refused?: string): LoadBalancer {
  return {
    metadata: { name: 's.p', namespace: 'n' },
    spec: {
      service: { name: 's', uid: 'u' },
      provider: { name: 'p', type: 'announce' },
      scheme: 'Public',
      addresses: addresses.map((address) => ({ address, family: 'IPv4' as const, pool: 'a' })),
      frontends: [{ protocol: 'TCP', port: 80, nodePort: 31000, portPool: 'np' }],
      targets: { mode: 'NodePort', drainSeconds: 0 },
      externalTrafficPolicy: 'Cluster',
    },
    status: {
      conditions: [
        {
          type: 'AddressClaimed',
          status: refused === undefined ? 'True' : 'False',
          reason: refused ?? 'Claimed',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  };
}

describe('operator/web/count-claims', () => {
  it('counts each claim and each refusal once, however often the object changes', async () => {
    const metrics = new OperatorMetrics();
    const refused = loadBalancer([], 'AddressPoolExhausted');
    const one = loadBalancer(['192.0.2.1']);
    const two = loadBalancer(['192.0.2.1', '192.0.2.2']);

    countClaims(metrics, { type: 'Added', key: 'n/s.p', object: refused });
    countClaims(metrics, { type: 'Modified', key: 'n/s.p', object: refused, previous: refused });
    countClaims(metrics, { type: 'Modified', key: 'n/s.p', object: one, previous: refused });
    countClaims(metrics, { type: 'Modified', key: 'n/s.p', object: two, previous: one });
    countClaims(metrics, { type: 'Deleted', key: 'n/s.p', object: two, previous: two });

    const text = await metrics.registry.metrics();
    expect(text).to.contain('fairlead_allocations_total{resource="address",pool="a"} 2\n');
    expect(text).to.contain('fairlead_allocations_total{resource="nodePort",pool="np"} 1\n');
    expect(text).to.contain(
      'fairlead_allocation_refusals_total{resource="address",reason="AddressPoolExhausted"} 1\n',
    );
  });
});
