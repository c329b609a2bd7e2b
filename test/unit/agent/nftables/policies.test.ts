import { expect } from 'chai';
import fc from 'fast-check';
import { compileService } from '../../../../agent/nftables/compile-service.ts';
import { type Frontend, isFrontend } from '../../../../agent/nftables/model.ts';
import type { NodeContext } from '../../../../agent/node-context.ts';
import type { EndpointSlice, ServiceSpec } from '../../../../kube/objects.ts';
import { endpoint, loadBalancer, NODE, service, slice } from '../support/objects.ts';

const HERE = endpoint('10.0.0.1', 'ready', NODE);
const THERE = endpoint('10.0.0.2');
const VIP = '203.0.113.1';
const CONTEXT: NodeContext = { nodeName: NODE, addresses: ['10.89.0.11'], serve: 'All', externalIps: [] };

function compile(spec: ServiceSpec, endpoints = [HERE, THERE], context = CONTEXT) {
  const object = {
    ...service('s', { type: 'LoadBalancer', ports: [{ name: 'http', port: 80, nodePort: 30080 }], ...spec }),
    status: { loadBalancer: { ingress: [{ ip: VIP }] } },
  };
  return compileService({ service: object, slices: [slice('s', endpoints)], loadBalancers: [] }, context);
}

function frontends(...args: Parameters<typeof compile>): { inner: Frontend; vip: Frontend; port: Frontend } {
  const { entries } = compile(...args);
  const find = (key: string): Frontend => {
    const found = entries.filter(isFrontend).find((entry) => entry.key === key);
    if (found === undefined) throw new Error(`no frontend ${key}`);
    return found;
  };
  return {
    inner: find('10.96.0.1 . tcp . 80'),
    vip: find(`${VIP} . tcp . 80`),
    port: find('tcp . 30080'),
  };
}

/** What datapath.md calls the no-endpoint table: ClusterIP, address of a load balancer. */
function outcome({ treatment, endpoints, near, whenEmpty }: Frontend): string {
  if (endpoints.length === 0) return whenEmpty ?? 'reject';
  if (treatment !== 'local') return `${treatment} ${endpoints.length}`;
  return `cluster ${endpoints.length}, others ${near?.length ? near.length : 'drop'}`;
}

describe('agent: traffic policies', () => {
  const local: ServiceSpec = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' };
  const cases: [string, ServiceSpec, EndpointSlice['endpoints'], string, string][] = [
    ['Cluster, endpoints here and there', {}, [HERE, THERE], 'pick 2', 'external 2'],
    ['Cluster, none', {}, [], 'reject', 'reject'],
    ['Local, here and there', local, [HERE, THERE], 'pick 1', 'cluster 2, others 1'],
    ['Local, only there', local, [THERE], 'drop', 'cluster 1, others drop'],
    ['Local, none', local, [], 'reject', 'reject'],
    [
      'Local, one here that terminates, and a ready one there',
      local,
      [endpoint('10.0.0.1', 'terminating', NODE), THERE],
      'pick 1',
      'cluster 1, others 1',
    ],
    ['Local, one here that starts', local, [endpoint('10.0.0.1', 'starting', NODE)], 'reject', 'reject'],
    ['Local inside only', { internalTrafficPolicy: 'Local' }, [THERE], 'drop', 'external 1'],
    ['Local outside only', { externalTrafficPolicy: 'Local' }, [THERE], 'pick 1', 'cluster 1, others drop'],
  ];
  for (const [name, spec, endpoints, inner, outer] of cases) {
    it(`${name}: ClusterIP ${inner}; load balancer and node port ${outer}`, () => {
      const found = frontends(spec, endpoints ?? []);
      expect(outcome(found.inner)).to.equal(inner);
      expect(outcome(found.vip)).to.equal(outer);
      expect(outcome(found.port)).to.equal(outer);
    });
  }
});

describe('agent: source ranges', () => {
  const ranges = (texts: string[], context = CONTEXT) =>
    frontends({ loadBalancerSourceRanges: texts }, [HERE], context).vip.ranges;

  it('are for the addresses of load balancers only', () => {
    const found = frontends({ loadBalancerSourceRanges: ['10.9.0.0/24'] });
    expect(found.vip.ranges).to.deep.equal(['10.9.0.0/24']);
    expect(found.inner.ranges).to.equal(undefined);
    expect(found.port.ranges).to.equal(undefined);
  });

  const cases: [string, string[], string[] | undefined][] = [
    ['trim blanks', [' 10.9.0.0/24'], ['10.9.0.0/24']],
    ['are open when one of them is everything', ['10.9.0.0/24', '0.0.0.0/0'], undefined],
    ['are open for a family that they do not name', ['fd00:9::/64'], undefined],
    ['are not opened by everything of the other family', ['10.9.0.0/24', '::/0'], ['10.9.0.0/24']],
    ['let the node speak as the load balancer when it is within', ['10.89.0.0/24'], ['10.89.0.0/24', VIP]],
    ['count once', ['10.9.0.0/24', '10.9.0.0/24 '], ['10.9.0.0/24']],
  ];
  for (const [name, texts, expected] of cases) {
    it(name, () => {
      expect(ranges(texts)).to.deep.equal(expected);
    });
  }

  it('that are none make the Service unusable, rather than open', () => {
    for (const text of ['10.9.0.0', '10.9.0.0/33', 'example.com/24', '/8']) {
      expect(() => ranges([text]), text).to.throw(/is no CIDR/);
    }
  });
});

describe('agent: session affinity', () => {
  const sticky: ServiceSpec = { sessionAffinity: 'ClientIP', externalTrafficPolicy: 'Local' };

  it('is one for all addresses of a port, and ends after three hours where nothing is said', () => {
    const { inner, vip, port } = frontends(sticky);
    expect(inner.sticky?.any).to.deep.equal(vip.sticky?.any);
    expect(port.sticky).to.deep.equal(vip.sticky);
    expect(inner.sticky?.any.members.map(({ address, seconds }) => [address, seconds])).to.deep.equal([
      ['10.0.0.1', 10_800],
      ['10.0.0.2', 10_800],
    ]);
    expect(vip.sticky?.near?.members).to.deep.equal([inner.sticky?.any.members[0]]);
  });

  it('knows an endpoint by the same id whatever its time, and by another for another port or Service', () => {
    const idOf = (spec: ServiceSpec) => frontends({ ...sticky, ...spec }).inner.sticky?.any.members[0]?.id;
    const timed = { sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } };
    expect(idOf(timed)).to.equal(idOf({}));
    expect(idOf({ ports: [{ name: 'http', port: 80, nodePort: 30080 }] })).to.equal(idOf({}));
    const other = compileService(
      {
        service: service('other', sticky),
        slices: [slice('other', [HERE])],
        loadBalancers: [],
      },
      CONTEXT,
    ).entries.find(isFrontend);
    expect(other?.sticky?.any.members[0]?.id).to.not.equal(idOf({}));
  });

  it('gives chains of one name the same contents, and of other contents other names', () => {
    const hosts = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    const poolOf = (numbers: number[], seconds: number) =>
      frontends(
        { ...sticky, sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } },
        numbers.map((number) => endpoint(`10.0.0.${number}`)),
      ).inner.sticky?.any;
    fc.assert(
      fc.property(hosts, hosts, fc.constantFrom(5, 60), fc.constantFrom(5, 60), (a, b, timeA, timeB) => {
        const [first, second] = [poolOf(a, timeA), poolOf(b, timeB)];
        const same = timeA === timeB && [...a].sort().join() === [...b].sort().join();
        expect(first?.chain === second?.chain).to.equal(same);
        if (same) expect(first).to.deep.equal(second);
      }),
    );
  });
});

describe('agent: external addresses', () => {
  const allowed = (externalIps: NodeContext['externalIps']) => {
    const { entries, notAllowed } = compile({ externalIPs: ['198.51.100.7'] }, [HERE], {
      ...CONTEXT,
      externalIps,
    });
    return [entries.some(({ key }) => key.startsWith('198.51.100.7')), notAllowed];
  };

  it('are served only by a rule for their namespace', () => {
    const cidr = '198.51.100.0/24';
    expect(allowed([])).to.deep.equal([false, ['198.51.100.7']]);
    expect(allowed([{ namespace: 'default', cidr }])).to.deep.equal([true, []]);
    expect(allowed([{ namespace: '*', cidr }])).to.deep.equal([true, []]);
    expect(allowed([{ namespace: 'other', cidr }])).to.deep.equal([false, ['198.51.100.7']]);
    expect(allowed([{ namespace: '*', cidr: '198.51.101.0/24' }])).to.deep.equal([false, ['198.51.100.7']]);
    expect(allowed([{ namespace: '*', cidr: '::/0' }])).to.deep.equal([false, ['198.51.100.7']]);
  });
});

describe('agent: beside another proxy', () => {
  const own: NodeContext = { ...CONTEXT, serve: 'Own', externalIps: [{ namespace: '*', cidr: '0.0.0.0/0' }] };
  const claimed = loadBalancer('s', {
    addresses: [{ address: '203.0.113.9', family: 'IPv4', pool: 'lab' }],
    frontends: [{ protocol: 'TCP', port: 80, forwardingPort: 40080 }],
  });
  const ids = (labels: Record<string, string>, loadBalancers = [claimed]) => {
    const spec: ServiceSpec = {
      ports: [{ name: 'http', port: 80, nodePort: 30080 }],
      externalIPs: ['198.51.100.7'],
    };
    const object = {
      ...service('s', spec, { labels }),
      status: { loadBalancer: { ingress: [{ ip: VIP }] } },
    };
    const { entries, part } = compileService(
      { service: object, slices: [slice('s', [THERE])], loadBalancers },
      own,
    );
    return { part, keys: entries.map(({ key }) => key).sort() };
  };

  it("serves claimed addresses and forwarding ports, and nothing that is the other proxy's", () => {
    expect(ids({})).to.deep.equal({ part: 'LoadBalancers', keys: ['203.0.113.9 . tcp . 80', 'tcp . 40080'] });
    expect(ids({}, [])).to.deep.equal({ part: 'LoadBalancers', keys: [] });
  });

  it('serves everything of a Service that asks for Fairlead by name, and nothing of one that asks for another', () => {
    const label = 'service.kubernetes.io/service-proxy-name';
    expect(ids({ [label]: 'fairlead' }).keys).to.have.members([
      '10.96.0.1',
      '10.96.0.1 . tcp . 80',
      '203.0.113.9 . tcp . 80',
      `${VIP} . tcp . 80`,
      '198.51.100.7 . tcp . 80',
      'tcp . 30080',
      'tcp . 40080',
    ]);
    expect(ids({ [label]: 'other' })).to.deep.equal({ part: null, keys: [] });
  });
});
