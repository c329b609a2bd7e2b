import { expect } from 'chai';
import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import type { LabelSelector } from '../../../kube/objects.ts';
import { buildAnnounceModel, createAnnounceProvider } from '../../../providers/announce/announce.ts';
import { validateAnnounce } from '../../../providers/announce/validate-announce.ts';
import { createProviders, providerTypeOf } from '../../../providers/registry.ts';
import { makeLoadBalancer, makeProvider } from '../plan/objects.ts';

const id = { clusterId: 'c', namespace: 'shop', name: 'web.edge', serviceUid: 'u' };
const spec = makeLoadBalancer('edge', {
  addresses: [
    { address: '192.0.2.1', family: 'IPv4', pool: 'a' },
    { address: '2001:db8::1', family: 'IPv6', pool: 'a' },
  ],
  announce: { interfaces: ['eth1'], nodeSelector: { matchLabels: { edge: 'yes' } } },
}).spec;
const subject = { id, provider: { name: 'edge', spec: makeProvider('edge').spec } };
const desired = { ...subject, spec, nodes: [], pods: [], sharedWith: [] };
const { signal } = new AbortController();
const alive = (count: (selector: LabelSelector | undefined) => number) => createAnnounceProvider({ count });

describe('providers/announce', () => {
  it('models what the agents are to do', () => {
    expect(buildAnnounceModel(desired)).to.deep.equal({
      addresses: ['192.0.2.1', '2001:db8::1'],
      interfaces: ['eth1'],
      nodeSelector: { matchLabels: { edge: 'yes' } },
    });
  });

  it('has nothing to apply, and shows the addresses as VIPs', async () => {
    const provider = alive(() => 1);
    const model = provider.build(desired);
    expect(provider.diff(model, await provider.observe(subject, undefined, signal))).to.deep.equal([]);
    expect(provider.diff(undefined, await provider.observe(subject, undefined, signal))).to.deep.equal([]);
    expect(provider.status(model, undefined)).to.deep.equal({
      ingress: [
        { ip: '192.0.2.1', ipMode: 'VIP' },
        { ip: '2001:db8::1', ipMode: 'VIP' },
      ],
    });
  });

  it('tells that no agent is alive where one may answer, on load balancers and on the provider alike', () => {
    const provider = alive((selector) => (selector === undefined ? 3 : 0));
    const status = provider.status(provider.build(desired), undefined);
    expect(status.notProgrammed?.reason).to.equal('NoLiveAgent');
    expect(status.notProgrammed?.message).to.contain('announce.nodeSelector');
    const nodeSelector = { matchLabels: { edge: 'yes' } };
    expect(provider.readiness?.(makeProvider('edge', { announce: { nodeSelector } }).spec)).to.deep.equal(
      status.notProgrammed,
    );
    expect(provider.readiness?.(makeProvider('edge').spec)).to.equal(undefined);
  });

  const cases: [name: string, spec: Partial<LoadBalancerProviderSpec>, reasons: string[]][] = [
    ['nothing but announce', {}, []],
    ['good interfaces', { announce: { interfaces: ['eth0', 'br-lan.10', 'bond0@x'] } }, []],
    [
      'bad interfaces',
      { announce: { interfaces: ['a/b', 'eth0:1', '..', 'eth 0'] } },
      Array(4).fill('InvalidInterface'),
    ],
    ['targets that it cannot serve', { targets: { mode: 'Pod', drainSeconds: 0 } }, ['TargetsModeNotServed']],
  ];
  for (const [name, partial, reasons] of cases) {
    it(`validates ${name}: ${reasons.join(', ') || 'accepted'}`, () => {
      const findings = validateAnnounce(makeProvider('edge', partial).spec);
      expect(findings.map(({ reason }) => reason)).to.deep.equal(reasons);
    });
  }

  it('is in the registry under its type, by which its configuration is known', () => {
    const providers = createProviders({
      agents: { count: () => 0 },
      edges: {
        reportsOf: () => [],
        silentSeconds: () => undefined,
        isLive: () => false,
        isUnproven: () => false,
        takeOut: async () => {},
      },
      readSecret: async () => ({}),
      readConfigMap: async () => ({}),
      tellProvider: () => {},
      observeCall: () => {},
    });
    const type = providerTypeOf(makeProvider('edge').spec);
    expect(type).to.equal('announce');
    expect(providers.get('announce')?.type).to.equal('announce');
    const { announce: _, ...without } = makeProvider('edge').spec;
    expect(providerTypeOf(without)).to.equal(undefined);
  });
});
