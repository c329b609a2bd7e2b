import { expect } from 'chai';
import fc from 'fast-check';
import type { HaproxyConfig } from '../../../crds/haproxy-provider.ts';
import type { LoadBalancer, LoadBalancerSpec } from '../../../crds/load-balancer.ts';
import { buildModel } from '../../../edge/build-model.ts';
import type { EndpointSlice, Node } from '../../../kube/objects.ts';

const DEFAULTS: HaproxyConfig = {
  balance: 'roundrobin',
  hardStopAfterSeconds: 86_400,
  timeouts: { connectSeconds: 3, clientSeconds: 60, serverSeconds: 60 },
  healthCheck: { intervalSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 },
  proxyProtocol: 'None',
  tls: { minimumVersion: 'TLSv1.2' },
};

function node(index: number, labels: Record<string, string> = {}): Node {
  return {
    metadata: { name: `n${index}`, labels },
    status: { addresses: [{ type: 'InternalIP', address: `10.0.0.${index}` }] },
  };
}

function loadBalancer(more: Partial<LoadBalancerSpec> = {}): LoadBalancer {
  return {
    metadata: { name: 'web.edge', namespace: 'shop', uid: 'u1', generation: 1 },
    spec: {
      service: { name: 'web', uid: 'u' },
      provider: { name: 'edge', type: 'haproxy' },
      scheme: 'Public',
      addresses: [{ address: '192.0.2.1', family: 'IPv4', pool: 'p' }],
      frontends: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30_080 }],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Local',
      ...more,
    },
  };
}

/** So many ready pods on each node, by its number; the rest isn't to be counted. */
function slice(pods: Readonly<Record<number, number>>, more: Partial<EndpointSlice> = {}): EndpointSlice {
  const endpoints = Object.entries(pods).flatMap(([index, count]) =>
    Array.from({ length: count }, (_, pod) => ({
      addresses: [`10.244.${index}.${pod}`],
      nodeName: `n${index}`,
    })),
  );
  return {
    metadata: { name: 'web-1', namespace: 'shop' },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints,
    ...more,
  };
}

interface Given {
  nodes: Node[];
  slices?: EndpointSlice[];
  spec?: Partial<LoadBalancerSpec>;
  weights?: HaproxyConfig['weights'];
}

/** The weight of each node, in their order. */
function weights({ nodes, slices = [], spec = {}, weights: rules }: Given): number[] {
  const { services } = buildModel({
    provider: { haproxy: { ...DEFAULTS, ...(rules === undefined ? {} : { weights: rules }) } },
    loadBalancers: [loadBalancer(spec)],
    nodes,
    slicesOf: () => slices,
    certificateOf: () => undefined,
    loaded: new Map(),
    now: new Date(0),
  });
  const servers = services[0]?.frontends[0]?.servers ?? [];
  return servers.map(({ weight = 1 }) => weight);
}

describe('edge: how much of the traffic each node gets', () => {
  const nodes = [node(1), node(2), node(3)];

  it('is by its ready pods with externalTrafficPolicy Local, so that each pod gets as much as any other', () => {
    const slices = [slice({ 1: 3, 2: 1 }), slice({ 2: 1 })];
    expect(weights({ nodes, slices })).to.deep.equal([3, 2, 0]);
  });

  it('is the same for all with externalTrafficPolicy Cluster', () => {
    const spec = { externalTrafficPolicy: 'Cluster' as const };
    expect(weights({ nodes, slices: [slice({ 1: 3 })], spec })).to.deep.equal([1, 1, 1]);
  });

  it('counts no pod that gets no traffic, of another port or of another family', () => {
    const endpoints = [
      { addresses: ['10.244.1.1'], nodeName: 'n1' },
      { addresses: ['10.244.2.1'], nodeName: 'n2', conditions: { ready: false } },
      { addresses: ['10.244.2.2'], nodeName: 'n2', conditions: { ready: false, terminating: true } },
      { addresses: ['10.244.2.3'] },
    ];
    const slices = [
      slice({}, { endpoints }),
      slice({ 2: 1 }, { ports: [{ name: 'other', protocol: 'TCP', port: 9090 }] }),
      slice({ 3: 1 }, { addressType: 'IPv6' }),
    ];
    expect(weights({ nodes, slices })).to.deep.equal([1, 0, 0]);
  });

  it('leaves it to health checks who serves where no pod is ready', () => {
    expect(weights({ nodes, slices: [slice({})] })).to.deep.equal([1, 1, 1]);
  });

  it('is what the first rule says that fits, times the pods with externalTrafficPolicy Local', () => {
    const labelled = [node(1, { size: 'large' }), node(2, { size: 'large', off: 'yes' }), node(3)];
    const rules = [
      { nodeSelector: { matchLabels: { off: 'yes' } }, weight: 0 },
      { nodeSelector: { matchLabels: { size: 'large' } }, weight: 4 },
    ];
    const spec = { externalTrafficPolicy: 'Cluster' as const };
    expect(weights({ nodes: labelled, weights: rules, spec })).to.deep.equal([4, 0, 1]);
    const slices = [slice({ 1: 2, 2: 2, 3: 2 })];
    expect(weights({ nodes: labelled, weights: rules, slices })).to.deep.equal([8, 0, 2]);
  });

  it('is never more than HAProxy takes, and nothing only for who ought to get nothing', () => {
    fc.assert(
      fc.property(
        fc.nat(400),
        fc.nat(400),
        fc.nat(400),
        fc.integer({ min: 1, max: 256 }),
        (a, b, c, weight) => {
          const rules = [{ nodeSelector: { matchLabels: { size: 'large' } }, weight }];
          const labelled = [node(1, { size: 'large' }), node(2), node(3)];
          const found = weights({ nodes: labelled, slices: [slice({ 1: a, 2: b, 3: c })], weights: rules });
          const wanted = a + b + c === 0 ? [weight, 1, 1] : [a * weight, b, c];
          expect(Math.max(...found)).to.be.at.most(256);
          for (const [index, value] of found.entries()) {
            expect(Number.isInteger(value)).to.equal(true);
            expect(value > 0).to.equal((wanted[index] ?? 0) > 0);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
