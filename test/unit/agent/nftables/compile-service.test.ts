import { expect } from 'chai';
import { compileService } from '../../../../agent/nftables/compile-service.ts';
import { type Entry, isFrontend } from '../../../../agent/nftables/model.ts';
import { UnusableServiceError } from '../../../../agent/nftables/unusable-service-error.ts';
import type { NodeContext } from '../../../../agent/node-context.ts';
import { trimLoadBalancer } from '../../../../agent/trim-objects.ts';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import type { Service } from '../../../../kube/objects.ts';
import { endpoint, loadBalancer, NODE, service, slice } from '../support/objects.ts';

const CONTEXT: NodeContext = {
  nodeName: NODE,
  zone: 'a',
  addresses: ['10.89.0.11', 'fd00:89::11'],
  serve: 'All',
  externalIps: [
    { namespace: '*', cidr: '0.0.0.0/0' },
    { namespace: '*', cidr: '::/0' },
  ],
};

function compiled(inputs: Partial<Parameters<typeof compileService>[0]> & { service: Service }): string[] {
  return compileService({ slices: [], loadBalancers: [], ...inputs }, CONTEXT)
    .entries.map(textOf)
    .sort();
}

function textOf(entry: Entry): string {
  const head = `${entry.family} ${entry.place} ${entry.key}`;
  return isFrontend(entry) ? `${head} -> ${entry.treatment} [${entry.endpoints.join(', ')}]` : head;
}

const PODS = slice('s', [endpoint('10.0.0.2'), endpoint('10.0.0.1')]);
const BOTH = '[10.0.0.1 . 8080, 10.0.0.2 . 8080]';

describe('agent: compiling a Service', () => {
  it('leads its ClusterIP to its endpoints, unmasqueraded', () => {
    expect(compiled({ service: service('s'), slices: [PODS] })).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      `ip services 10.96.0.1 . tcp . 80 -> pick ${BOTH}`,
    ]);
  });

  it('keeps a frontend without endpoints, to reject what comes', () => {
    expect(compiled({ service: service('s', { ports: [{ port: 80, nodePort: 30080 }] }) })).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      'ip nodeports tcp . 30080 -> external []',
      'ip services 10.96.0.1 . tcp . 80 -> pick []',
    ]);
  });

  it('marks endpoints on this node for hairpin', () => {
    const slices = [slice('s', [endpoint('10.0.0.1', 'ready', NODE), endpoint('10.0.0.2')])];

    expect(compiled({ service: service('s'), slices })).to.include('ip hairpin 10.0.0.1 . 10.0.0.1');
    expect(compiled({ service: service('s'), slices })).not.to.include('ip hairpin 10.0.0.2 . 10.0.0.2');
  });

  it('serves each family from its own slices', () => {
    const dual = service('s', {
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
      ports: [{ name: 'http', port: 80, nodePort: 30080 }],
    });
    const slices = [PODS, slice('s', [endpoint('fd00::1')], { name: 's-6', addressType: 'IPv6' })];

    expect(compiled({ service: dual, slices })).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      `ip nodeports tcp . 30080 -> external ${BOTH}`,
      `ip services 10.96.0.1 . tcp . 80 -> pick ${BOTH}`,
      'ip6 cluster-ips fd00:96::1',
      'ip6 nodeports tcp . 30080 -> external [fd00::1 . 8080]',
      'ip6 services fd00:96::1 . tcp . 80 -> pick [fd00::1 . 8080]',
    ]);
  });

  for (const serve of ['All', 'Own'] as const) {
    it(`leaves a claimed address to the load balancer that its status gives it to, with serve ${serve}`, () => {
      const web: Service = {
        ...service('s', { type: 'LoadBalancer', clusterIPs: ['10.96.0.1', 'fd00:96::1'] }),
        status: {
          loadBalancer: {
            ingress: [
              { ip: '198.18.0.200', ipMode: 'Proxy' },
              { ip: 'fd00:198:0::1', ipMode: 'Proxy' },
            ],
          },
        },
      };
      const claimed = loadBalancer('s', {
        addresses: [
          { address: '198.18.0.200', family: 'IPv4', pool: 'p' },
          { address: 'fd00:198::1', family: 'IPv6', pool: 'p' },
          { address: '198.18.0.210', family: 'IPv4', pool: 'p' },
        ],
      });

      const { entries } = compileService(
        { service: web, slices: [PODS], loadBalancers: [claimed] },
        { ...CONTEXT, serve },
      );

      const dialled = entries.filter(({ place }) => place === 'services').map(({ key }) => key.split(' ')[0]);
      expect(dialled).to.include('198.18.0.210');
      expect(dialled).not.to.include.oneOf(['198.18.0.200', 'fd00:198::1']);
    });
  }

  for (const serve of ['All', 'Own'] as const) {
    it(`forwards of several load balancers what is for nodes, whichever the status shows, with serve ${serve}`, () => {
      const claims = (address: string) => ({ addresses: [{ address, family: 'IPv4' as const, pool: 'p' }] });
      const of = (type: LoadBalancer['spec']['provider']['type'], address: string) =>
        loadBalancer('s', { provider: { name: type, type }, ...claims(address) });
      const loadBalancers = [
        of('announce', '198.18.0.200'),
        of('haproxy', '198.18.0.201'),
        of('bigip', '198.18.0.202'),
        { ...of('webhook', '198.18.0.203'), status: { ingress: [{ ip: '198.18.0.203', ipMode: 'Proxy' }] } },
        { ...of('webhook', '198.18.0.204'), status: { ingress: [{ ip: '198.18.0.205' }] } },
      ] satisfies LoadBalancer[];
      // Of type NodePort, no status shows any of them.
      const web = service('s', { type: 'NodePort' });

      const { entries } = compileService(
        { service: web, slices: [PODS], loadBalancers: loadBalancers.map(trimLoadBalancer) },
        { ...CONTEXT, serve },
      );

      const dialled = entries.filter(({ place }) => place === 'services').map(({ key }) => key.split(' ')[0]);
      const vips = dialled.filter((address) => address?.startsWith('198.'));
      expect(vips.sort()).to.deep.equal(['198.18.0.200', '198.18.0.204', '198.18.0.205']);
    });
  }

  it('serves claimed addresses, addresses in status and external ones as external, each once', () => {
    const web: Service = {
      ...service('s', { type: 'LoadBalancer', externalIPs: ['198.18.0.9'] }),
      status: {
        loadBalancer: {
          ingress: [
            { ip: '198.18.0.200', ipMode: 'VIP' },
            { ip: '198.18.0.201' },
            { ip: '198.18.0.202', ipMode: 'Proxy' },
            { hostname: 'a.example' },
            { ip: 'fd00:198::1' },
          ],
        },
      },
    };
    const claimed = loadBalancer('s', {
      addresses: [
        { address: '198.18.0.200', family: 'IPv4', pool: 'p' },
        { address: '198.18.0.210', family: 'IPv4', pool: 'p' },
      ],
    });

    expect(compiled({ service: web, slices: [PODS], loadBalancers: [claimed] })).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      `ip services 10.96.0.1 . tcp . 80 -> pick ${BOTH}`,
      ...['198.18.0.200', '198.18.0.201', '198.18.0.210', '198.18.0.9'].map(
        (address) => `ip services ${address} . tcp . 80 -> external ${BOTH}`,
      ),
    ]);
  });

  it('serves forwarding ports as node ports, for the very port and protocol', () => {
    const frontends = [
      { protocol: 'TCP' as const, port: 80, forwardingPort: 40080 },
      { protocol: 'UDP' as const, port: 80, forwardingPort: 40081 },
      { protocol: 'TCP' as const, port: 443, forwardingPort: 40443 },
    ];

    expect(
      compiled({ service: service('s'), slices: [PODS], loadBalancers: [loadBalancer('s', { frontends })] }),
    ).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      `ip nodeports tcp . 40080 -> external ${BOTH}`,
      `ip services 10.96.0.1 . tcp . 80 -> pick ${BOTH}`,
    ]);
  });

  it('keeps protocols apart on one port number, each with the endpoints of its own port', () => {
    const ports = (['TCP', 'UDP', 'SCTP'] as const).map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: 53,
    }));
    const slices = [
      slice('s', [endpoint('10.0.0.1')], {
        ports: ports.map(({ name, protocol }, index) => ({ name, protocol, port: 5300 + index })),
      }),
    ];

    expect(compiled({ service: service('s', { ports }), slices })).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      'ip services 10.96.0.1 . sctp . 53 -> pick [10.0.0.1 . 5302]',
      'ip services 10.96.0.1 . tcp . 53 -> pick [10.0.0.1 . 5300]',
      'ip services 10.96.0.1 . udp . 53 -> pick [10.0.0.1 . 5301]',
    ]);
  });

  const notServed: [string, Service, string][] = [
    ['ExternalName', service('s', { type: 'ExternalName', clusterIPs: [] }), 'ExternalName'],
    ['headless', service('s', { clusterIPs: ['None'] }), 'Headless'],
    ['no ClusterIP yet', service('s', { clusterIPs: [] }), 'Headless'],
    [
      'of another proxy',
      service('s', {}, { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } }),
      'OtherProxy',
    ],
  ];
  for (const [name, object, reason] of notServed) {
    it(`leaves out a Service that is ${name}, and says why`, () => {
      const result = compileService({ service: object, slices: [PODS], loadBalancers: [] }, CONTEXT);
      expect(result).to.include({ part: null, notServed: reason });
    });
  }

  it('leaves out a Service of so many ports and endpoints that it would fill every node', () => {
    const many = (ports: number, endpoints: number, sessionAffinity: 'None' | 'ClientIP') => {
      const names = Array.from({ length: ports }, (_, index) => `p${index}`);
      const pods = Array.from({ length: endpoints }, (_, index) =>
        endpoint(`10.0.${index >> 8}.${index & 255}`),
      );
      const object = service('s', {
        sessionAffinity,
        ports: names.map((name, index) => ({ name, port: index + 1, nodePort: 30_000 + index })),
      });
      const slices = [
        slice('s', pods, { ports: names.map((name) => ({ name, protocol: 'TCP', port: 80 })) }),
      ];
      return () => compiled({ service: object, slices }).length;
    };
    expect(many(100, 500, 'None')()).to.equal(201);
    expect(many(1, 5_000, 'ClientIP')()).to.equal(3);
    expect(many(300, 500, 'None')).to.throw(UnusableServiceError, /more than 200000/);
    expect(many(100, 500, 'ClientIP')).to.throw(UnusableServiceError, /more than 200000/);
  });

  it('serves a Service that asks for us by name', () => {
    const ours = service('s', {}, { labels: { 'service.kubernetes.io/service-proxy-name': 'fairlead' } });
    expect(compiled({ service: ours })).to.have.length(2);
  });

  const unusable: [string, Service][] = [
    ['an address that is none', service('s', { externalIPs: ['1.2.3.4; flush ruleset'] })],
    ['a ClusterIP that is none', service('s', { clusterIPs: ['10.96.0'] })],
    ['a port out of range', service('s', { ports: [{ port: 70000 }] })],
    ['a node port out of range', service('s', { ports: [{ port: 80, nodePort: -1 }] })],
  ];
  for (const [name, object] of unusable) {
    it(`throws on ${name}: nothing unchecked gets into nft's input`, () => {
      expect(() => compiled({ service: object })).to.throw(UnusableServiceError);
    });
  }
});
