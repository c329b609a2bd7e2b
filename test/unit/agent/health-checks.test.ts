import { expect } from 'chai';
import { chooseListenAddresses } from '../../../agent/health/choose-listen-addresses.ts';
import { decideHealthCheck } from '../../../agent/health/decide-health-checks.ts';
import { renderHealthAnswer } from '../../../agent/health/render-health-answer.ts';
import type { ServedInputs } from '../../../agent/service-observer.ts';
import type { EndpointSlice, ServiceSpec } from '../../../kube/objects.ts';
import { endpoint, NODE, service, slice } from './support/objects.ts';

const SPEC: ServiceSpec = {
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Local',
  healthCheckNodePort: 30_090,
  clusterIPs: ['10.96.0.1', 'fd00:96::1'],
};

function inputs(
  spec: ServiceSpec,
  slices: EndpointSlice[] = [],
  part: ServedInputs['part'] = 'Everything',
): ServedInputs {
  return { service: service('web', spec), slices, loadBalancers: [], part };
}

function counts(slices: EndpointSlice[], spec: ServiceSpec = SPEC) {
  return Object.fromEntries(decideHealthCheck(inputs(spec, slices), NODE)?.localEndpoints ?? []);
}

const here = (address: string, state: Parameters<typeof endpoint>[1] = 'ready') =>
  endpoint(address, state, NODE);

describe('agent: health checks of Services', () => {
  const services: [string, boolean, ServiceSpec, ServedInputs['part']?][] = [
    ['LoadBalancer with policy Local and a port', true, SPEC],
    ['LoadBalancer with policy Cluster', false, { ...SPEC, externalTrafficPolicy: 'Cluster' }],
    ['NodePort', false, { ...SPEC, type: 'NodePort' }],
    ['LoadBalancer that has no port yet', false, { ...SPEC, healthCheckNodePort: 0 }],
    ["LoadBalancer of ours whose proxy is another's", false, SPEC, 'LoadBalancers'],
  ];
  for (const [name, isChecked, spec, part] of services) {
    it(`are ${isChecked ? '' : 'not '}answered for type ${name}`, () => {
      const check = decideHealthCheck(inputs(spec, [], part), NODE);
      expect(check?.port).to.equal(isChecked ? 30_090 : undefined);
    });
  }

  const v6 = (...endpoints: EndpointSlice['endpoints'] & object) =>
    slice('web', endpoints, { name: 'six', addressType: 'IPv6' });
  const endpoints: [string, EndpointSlice[], { ip: number; ip6: number }][] = [
    ['there are none', [], { ip: 0, ip6: 0 }],
    ['those are ready on this node', [slice('web', [here('10.0.0.1'), here('10.0.0.2')])], { ip: 2, ip6: 0 }],
    ['those are on other nodes', [slice('web', [endpoint('10.0.0.1')])], { ip: 0, ip6: 0 }],
    ['those say nothing of themselves', [slice('web', [here('10.0.0.1', 'unsaid')])], { ip: 1, ip6: 0 }],
    [
      'those terminate, though they serve',
      [slice('web', [here('10.0.0.1', 'terminating')])],
      { ip: 0, ip6: 0 },
    ],
    ['those start', [slice('web', [here('10.0.0.1', 'starting')])], { ip: 0, ip6: 0 }],
    [
      'one has two ports',
      [
        slice('web', [here('10.0.0.1')], {
          ports: [
            { name: 'http', protocol: 'TCP', port: 80 },
            { name: 'https', protocol: 'TCP', port: 443 },
          ],
        }),
      ],
      { ip: 1, ip6: 0 },
    ],
    [
      'one is in two slices',
      [
        slice('web', [here('10.0.0.1')]),
        slice('web', [here('10.0.0.1'), here('10.0.0.2')], { name: 'more' }),
      ],
      { ip: 2, ip6: 0 },
    ],
    [
      'one takes over the address of one that terminates',
      [slice('web', [here('10.0.0.1', 'terminating')]), slice('web', [here('10.0.0.1')], { name: 'new' })],
      { ip: 1, ip6: 0 },
    ],
    [
      'both families have some',
      [slice('web', [here('10.0.0.1')]), v6(here('fd00::1'), here('fd00::2'))],
      { ip: 1, ip6: 2 },
    ],
  ];
  for (const [name, slices, expected] of endpoints) {
    it(`count addresses of endpoints, each family its own, when ${name}`, () => {
      expect(counts(slices)).to.deep.equal(expected);
    });
  }

  it('are answered only in the families of the Service', () => {
    const single = { ...SPEC, clusterIPs: ['fd00:96::1'] };
    expect(counts([slice('web', [here('10.0.0.1')]), v6(here('fd00::1'))], single)).to.deep.equal({ ip6: 1 });
  });

  it('are answered in the words of kube-proxy', () => {
    const state = { namespace: 'ns', name: 'svc', localEndpoints: 1, proxyHealthy: true };
    expect(renderHealthAnswer(state)).to.deep.equal({
      status: 200,
      headers: {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': 1,
        'Content-Length': 109,
      },
      body: '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "svc"\n\t},\n\t"localEndpoints": 1,\n\t"serviceProxyHealthy": true\n}',
    });
  });

  const states: [number, boolean, number][] = [
    [1, true, 200],
    [7, true, 200],
    [0, true, 503],
    [1, false, 503],
    [0, false, 503],
  ];
  for (const [localEndpoints, proxyHealthy, status] of states) {
    it(`are ${status} with ${localEndpoints} endpoints and ${proxyHealthy ? 'a well' : 'an ill'} agent`, () => {
      const answer = renderHealthAnswer({ namespace: 'ns', name: 'svc', localEndpoints, proxyHealthy });
      expect(answer.status).to.equal(status);
      expect(answer.headers['X-Load-Balancing-Endpoint-Weight']).to.equal(localEndpoints);
      expect(answer.body).to.include(`"serviceProxyHealthy": ${proxyHealthy}`);
    });
  }
});

describe('agent: where health checks are answered', () => {
  const local = ['127.0.0.1', '::1', '10.0.0.1', '192.0.2.1', 'fd00::1'];
  const node = (...addresses: string[]) => ({
    metadata: { name: NODE },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  });
  const cases: [string, 'primary' | string[], string[], { ip: string[]; ip6: string[] }][] = [
    [
      "primary is the Node's own addresses",
      'primary',
      ['10.0.0.1', 'fd00::1'],
      { ip: ['10.0.0.1'], ip6: ['fd00::1'] },
    ],
    ['an address that only a router has is none', 'primary', ['203.0.113.1'], { ip: [], ip6: [] }],
    ['CIDRs of one family open the other', ['10.0.0.0/8'], [], { ip: ['10.0.0.1'], ip6: ['::'] }],
    [
      'a CIDR of everything is one socket',
      ['0.0.0.0/0', '10.0.0.0/8', 'fd01::/16'],
      [],
      { ip: ['0.0.0.0'], ip6: [] },
    ],
    [
      'several addresses are several',
      ['10.0.0.0/8', '192.0.2.0/24', '::/0'],
      [],
      { ip: ['10.0.0.1', '192.0.2.1'], ip6: ['::'] },
    ],
  ];
  for (const [name, choice, own, expected] of cases) {
    it(name, () => {
      expect(chooseListenAddresses(choice, node(...own), local)).to.deep.equal(expected);
    });
  }
});
