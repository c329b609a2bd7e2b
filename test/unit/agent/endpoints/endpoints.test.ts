import { expect } from 'chai';
import fc from 'fast-check';
import { chooseEndpoints } from '../../../../agent/endpoints/choose-endpoints.ts';
import { collectEndpoints, portKey } from '../../../../agent/endpoints/collect-endpoints.ts';
import type { EndpointSlice } from '../../../../kube/objects.ts';
import { endpoint, NODE, slice } from '../support/objects.ts';

/** What serves port `http` over TCP and IPv4: `address:port`, sorted. */
function chosen(slices: EndpointSlice[], port = portKey('ip', 'http', 'TCP')) {
  const { cluster, local } = chooseEndpoints(collectEndpoints(slices, NODE).get(port) ?? [], {
    nodeName: NODE,
    zone: 'a',
  });
  const texts = (set: typeof cluster) => set.map((each) => `${each.address}:${each.port}`).sort();
  return { cluster: texts(cluster), local: texts(local) };
}

describe('agent: which endpoints serve', () => {
  const cases: { name: string; slices: EndpointSlice[]; cluster: string[]; local: string[] }[] = [
    {
      name: 'takes ready endpoints of all nodes, and those here for local traffic',
      slices: [slice('s', [endpoint('10.0.0.1', 'ready', NODE), endpoint('10.0.0.2')])],
      cluster: ['10.0.0.1:8080', '10.0.0.2:8080'],
      local: ['10.0.0.1:8080'],
    },
    {
      name: 'takes an endpoint without conditions for ready',
      slices: [slice('s', [endpoint('10.0.0.1', 'unsaid')])],
      cluster: ['10.0.0.1:8080'],
      local: [],
    },
    {
      name: 'leaves out terminating endpoints while one is ready',
      slices: [slice('s', [endpoint('10.0.0.1', 'terminating'), endpoint('10.0.0.2')])],
      cluster: ['10.0.0.2:8080'],
      local: [],
    },
    {
      name: 'falls back to endpoints that terminate and serve when none is ready',
      slices: [
        slice('s', [
          endpoint('10.0.0.1', 'terminating', NODE),
          endpoint('10.0.0.2', 'stopping', NODE),
          endpoint('10.0.0.3', 'starting', NODE),
        ]),
      ],
      cluster: ['10.0.0.1:8080'],
      local: ['10.0.0.1:8080'],
    },
    {
      name: 'decides the local fallback on its own',
      slices: [slice('s', [endpoint('10.0.0.1', 'terminating', NODE), endpoint('10.0.0.2', 'ready')])],
      cluster: ['10.0.0.2:8080'],
      local: ['10.0.0.1:8080'],
    },
    {
      name: 'never uses an endpoint that is not ready and not terminating',
      slices: [slice('s', [{ addresses: ['10.0.0.1'], conditions: { ready: false, serving: true } }])],
      cluster: [],
      local: [],
    },
    {
      name: 'merges slices, and takes the same address and port once',
      slices: [
        slice('s', [endpoint('10.0.0.1'), endpoint('10.0.0.2')]),
        slice('s', [endpoint('10.0.0.2'), endpoint('10.0.0.3')], { name: 's-2' }),
      ],
      cluster: ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'],
      local: [],
    },
    {
      name: 'takes the running one of two with one address and port, in whatever order',
      slices: [
        slice('s', [endpoint('10.0.0.1')]),
        slice('s', [endpoint('10.0.0.1', 'terminating')], { name: 's-2' }),
      ],
      cluster: ['10.0.0.1:8080'],
      local: [],
    },
    {
      name: 'keeps one address on different ports apart',
      slices: [
        slice('s', [endpoint('10.0.0.1')]),
        slice('s', [endpoint('10.0.0.1')], {
          name: 's-2',
          ports: [{ name: 'http', protocol: 'TCP', port: 8081 }],
        }),
      ],
      cluster: ['10.0.0.1:8080', '10.0.0.1:8081'],
      local: [],
    },
    {
      name: 'counts only the first address of an endpoint',
      slices: [slice('s', [{ addresses: ['10.0.0.1', '10.0.0.2'] }])],
      cluster: ['10.0.0.1:8080'],
      local: [],
    },
    {
      name: 'passes over ports without a name, without a number, and port 0',
      slices: [
        slice('s', [endpoint('10.0.0.1')], {
          ports: [{ port: 1 }, { name: 'http', protocol: 'TCP' }, { name: 'http', protocol: 'TCP', port: 0 }],
        }),
      ],
      cluster: [],
      local: [],
    },
    {
      name: 'passes over slices of names, and addresses of another family than their slice',
      slices: [
        slice('s', [{ addresses: ['a.example'] }], { addressType: 'FQDN' }),
        slice('s', [endpoint('fd00::1')], { name: 's-2' }),
      ],
      cluster: [],
      local: [],
    },
    {
      name: 'passes over slices that are labelled headless',
      slices: [slice('s', [endpoint('10.0.0.1')], { labels: { 'service.kubernetes.io/headless': '' } })],
      cluster: [],
      local: [],
    },
    {
      name: 'copes with a slice of nothing',
      slices: [slice('s', [], { endpoints: null, ports: null })],
      cluster: [],
      local: [],
    },
  ];
  for (const { name, slices, cluster, local } of cases) {
    it(name, () => {
      expect(chosen(slices)).to.deep.equal({ cluster, local });
      expect(chosen([...slices].reverse())).to.deep.equal({ cluster, local });
    });
  }

  it('keeps protocols, families and names of ports apart', () => {
    const slices = [
      slice('s', [endpoint('10.0.0.1')], {
        ports: [
          { name: 'dns', protocol: 'UDP', port: 53 },
          { name: 'dns-tcp', protocol: 'TCP', port: 53 },
        ],
      }),
      slice('s', [endpoint('FD00:0::1')], {
        name: 's-6',
        addressType: 'IPv6',
        ports: [{ name: '', port: 80 }],
      }),
    ];

    expect([...collectEndpoints(slices, NODE).keys()].sort()).to.deep.equal(
      [
        portKey('ip', 'dns-tcp', 'TCP'),
        portKey('ip', 'dns', 'UDP'),
        portKey('ip6', undefined, undefined),
      ].sort(),
    );
    expect(chosen(slices, portKey('ip6', '', 'TCP')).cluster).to.deep.equal(['fd00::1:80']);
  });

  it('gives the same whatever the order of slices and endpoints', () => {
    const state = fc.constantFrom('ready', 'terminating', 'stopping', 'starting', 'unsaid');
    const someEndpoint = fc
      .record({ host: fc.integer({ min: 1, max: 4 }), state, node: fc.constantFrom(NODE, 'n2') })
      .map(({ host, state, node }) => endpoint(`10.0.0.${host}`, state, node));
    const someSlices = fc.array(fc.array(someEndpoint, { maxLength: 5 }), { maxLength: 4 });

    fc.assert(
      fc.property(someSlices, (lists) => {
        const forward = lists.map((endpoints, index) => slice('s', endpoints, { name: `s-${index}` }));
        const backward = forward
          .map((each) => ({ ...each, endpoints: [...(each.endpoints ?? [])].reverse() }))
          .reverse();
        expect(chosen(backward)).to.deep.equal(chosen(forward));
      }),
    );
  });
});
