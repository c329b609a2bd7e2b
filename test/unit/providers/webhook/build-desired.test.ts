import { expect } from 'chai';
import type { LoadBalancerSpec } from '../../../../crds/load-balancer.ts';
import type { TargetNode, TargetPod } from '../../../../providers/provider.ts';
import { buildDesired } from '../../../../providers/webhook/build-desired.ts';
import { desiredSchema } from '../../../../providers/webhook/contract.ts';

const spec = (more: Partial<LoadBalancerSpec> = {}): LoadBalancerSpec => ({
  service: { name: 'web', uid: 'u1' },
  provider: { name: 'own', type: 'webhook' },
  scheme: 'Public',
  frontends: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080, forwardingPort: 20080 }],
  targets: { mode: 'NodePort', drainSeconds: 30 },
  externalTrafficPolicy: 'Cluster',
  ...more,
});
const node = (name: string, more: Partial<TargetNode> = {}): TargetNode => ({
  name,
  addresses: ['10.0.0.1', 'fd00::1'],
  draining: false,
  ...more,
});
const pod = (address: string, more: Partial<TargetPod> = {}): TargetPod => ({
  protocol: 'TCP',
  port: 80,
  address,
  targetPort: 8080,
  gated: false,
  ...more,
});
const targetsOf = (...args: Parameters<typeof buildDesired>) => buildDesired(...args).frontends[0]?.targets;

describe('providers/webhook: what a server is asked for', () => {
  it('has the node port of every node, with zone and providerID', () => {
    const nodes = [
      node('a', { providerID: 'lab://a', labels: { 'topology.kubernetes.io/zone': 'z1', secret: 'no' } }),
      node('b', { draining: true }),
    ];
    const addresses = ['10.0.0.1', 'fd00::1'];
    expect(targetsOf({ nodes }, spec())).to.deep.equal([
      { name: 'a', addresses, port: 30080, draining: false, zone: 'z1', providerID: 'lab://a' },
      { name: 'b', addresses, port: 30080, draining: true },
    ]);
  });

  it('has addresses of the families of the Service alone, and no node without one', () => {
    const nodes = [node('a'), node('four', { addresses: ['10.0.0.2'] })];
    expect(targetsOf({ nodes }, spec({ ipFamilies: ['IPv6'] }))).to.deep.equal([
      { name: 'a', addresses: ['fd00::1'], port: 30080, draining: false },
    ]);
  });

  it('has the forwarding port in that mode, and no target of a port that has none', () => {
    const targets = { mode: 'ForwardingPort', drainSeconds: 30 } as const;
    expect(targetsOf({ nodes: [node('a')] }, spec({ targets }))?.[0]?.port).to.equal(20080);
    const frontends = [{ protocol: 'TCP', port: 80 } as const];
    expect(targetsOf({ nodes: [node('a')] }, spec({ frontends }))).to.deep.equal([]);
  });

  it('has each pod at the port that it serves', () => {
    const desired = buildDesired(
      {
        nodes: [node('a')],
        pods: [pod('10.1.0.1', { pod: 'p1', zone: 'z1' }), pod('10.1.0.2', { port: 443 })],
      },
      spec({
        targets: { mode: 'Pod', drainSeconds: 30 },
        frontends: [
          { protocol: 'TCP', port: 80 },
          { protocol: 'TCP', port: 443 },
          { protocol: 'UDP', port: 443 },
        ],
      }),
    );
    expect(
      desired.frontends.map(({ targets }) => targets.map(({ addresses: [address] }) => address)),
    ).to.deep.equal([['10.1.0.1'], ['10.1.0.2'], []]);
    expect(desired.frontends[0]?.targets[0]).to.deep.equal({
      name: 'p1',
      addresses: ['10.1.0.1'],
      port: 8080,
      draining: false,
      zone: 'z1',
    });
  });

  it('says all that the LoadBalancer says, by the schema of the contract', () => {
    const more = {
      sharedAddress: 'front',
      healthCheckNodePort: 32000,
      healthCheckPath: '/ready',
      sourceRanges: ['10.0.0.0/8'],
      sessionAffinitySeconds: 60,
    };
    const desired = buildDesired({ nodes: [node('a')] }, spec({ ...more, ipFamilies: ['IPv4'] }));
    expect(desired).to.include.keys(Object.keys(more));
    expect(desiredSchema.strict().parse(desired)).to.deep.equal(desired);
  });
});
