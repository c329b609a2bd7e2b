import { expect } from 'chai';
import { buildLoadBalancer, type LoadBalancerInput } from '../../../operator/plan/build-load-balancer.ts';
import { makeProvider, makeService } from './objects.ts';

const build = (input: Partial<LoadBalancerInput> = {}) =>
  buildLoadBalancer({
    service: makeService(),
    provider: makeProvider('edge'),
    providerType: 'announce',
    wishes: { paused: false },
    addresses: [],
    ports: [],
    ...input,
  });

describe('plan/build-load-balancer', () => {
  it('names the object after Service and provider, and has the Service own it', () => {
    const { metadata, apiVersion, kind } = build();
    expect({ apiVersion, kind }).to.deep.equal({ apiVersion: 'fairlead.dev/v1alpha1', kind: 'LoadBalancer' });
    expect(metadata).to.deep.equal({
      name: 'web.edge',
      namespace: 'shop',
      labels: { 'fairlead.dev/service-name': 'web', 'fairlead.dev/provider': 'edge' },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'web',
          uid: 'uid-web',
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    });
  });

  it('says what was decided, and leaves out what there is not', () => {
    expect(build().spec).to.deep.equal({
      service: { name: 'web', uid: 'uid-web' },
      provider: { name: 'edge', type: 'announce' },
      scheme: 'Public',
      frontends: [{ name: 'http', protocol: 'TCP', port: 80 }],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      announce: {},
    });
  });

  it('says what a provider outside of the cluster has to know, and what annotations say to it', () => {
    const { spec } = build({
      providerType: 'aws',
      service: makeService({
        ipFamilies: ['IPv4'],
        loadBalancerSourceRanges: [' 192.0.2.0/24'],
        sessionAffinity: 'ClientIP',
      }),
      wishes: { paused: false, healthCheckPath: '/up' },
      reading: {
        options: { aws: { name: 'shop' } },
        scheme: 'Internal',
        targetsMode: 'Pod',
        invalid: [],
        ignored: [],
      },
    });
    expect(spec).to.deep.include({
      scheme: 'Internal',
      ipFamilies: ['IPv4'],
      sourceRanges: ['192.0.2.0/24'],
      sessionAffinitySeconds: 10_800,
      healthCheckPath: '/up',
      aws: { name: 'shop' },
    });
    expect(spec.targets.mode).to.equal('Pod');
  });

  it('lets in whom an annotation names, where the spec names nobody', () => {
    const reading = { options: {}, sourceRanges: ['10.0.0.0/8'], invalid: [], ignored: [] };
    const of = (spec: Parameters<typeof makeService>[0]) =>
      build({ providerType: 'aws', service: makeService(spec), reading }).spec.sourceRanges;
    expect(of({})).to.deep.equal(['10.0.0.0/8']);
    expect(of({ loadBalancerSourceRanges: ['192.0.2.0/24'] })).to.deep.equal(['192.0.2.0/24']);
  });

  it('prefers what Fairlead is told to what another controller was told', () => {
    const reading = { options: {}, scheme: 'Internal' as const, invalid: [], ignored: [] };
    const { spec } = build({ providerType: 'aws', wishes: { paused: false, scheme: 'Public' }, reading });
    expect(spec.scheme).to.equal('Public');
  });

  it('takes over ports, policies and what the provider says', () => {
    const { spec } = build({
      service: makeService({
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', nodePort: 30054, appProtocol: 'example.com/dns' },
        ],
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 31111,
      }),
      provider: makeProvider('edge', {
        scheme: 'Internal',
        targets: { mode: 'NodePort', drainSeconds: 5, nodeSelector: { matchLabels: { edge: 'yes' } } },
        announce: { interfaces: ['eth1'] },
      }),
      addresses: [{ address: '192.0.2.1', family: 'IPv4', pool: 'a' }],
      wishes: { paused: false, sharedAddress: 'front' },
    });
    expect(spec).to.deep.include({
      scheme: 'Internal',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 31111,
      sharedAddress: 'front',
      addresses: [{ address: '192.0.2.1', family: 'IPv4', pool: 'a' }],
      announce: { interfaces: ['eth1'] },
      targets: { mode: 'NodePort', drainSeconds: 5, nodeSelector: { matchLabels: { edge: 'yes' } } },
    });
    expect(spec.frontends).to.deep.equal([
      { name: 'dns', protocol: 'UDP', port: 53, nodePort: 30053 },
      { name: 'dns-tcp', protocol: 'TCP', port: 53, appProtocol: 'example.com/dns', nodePort: 30054 },
    ]);
  });

  it('puts the claimed numbers to their ports, by protocol', () => {
    const { spec } = build({
      service: makeService({ ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] }),
      ports: [
        { protocol: 'TCP', port: 53, forwardingPort: 20001, pool: 'n' },
        { protocol: 'UDP', port: 53, forwardingPort: 20000, pool: 'n' },
      ],
    });
    expect(spec.frontends).to.deep.equal([
      { protocol: 'UDP', port: 53, forwardingPort: 20000, portPool: 'n' },
      { protocol: 'TCP', port: 53, forwardingPort: 20001, portPool: 'n' },
    ]);
  });

  it('lets the annotation choose the scheme', () => {
    expect(build({ wishes: { paused: false, scheme: 'Internal' } }).spec.scheme).to.equal('Internal');
  });
});
