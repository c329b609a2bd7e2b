import { expect } from 'chai';
import fc from 'fast-check';
import { collectFrontends } from '../../../../agent/conntrack/collect-frontends.ts';
import { FrontendIndex } from '../../../../agent/conntrack/frontend-index.ts';
import { type Flow, parseFlow } from '../../../../agent/conntrack/parse-flow.ts';
import { WaitingConnections } from '../../../../agent/conntrack/waiting-connections.ts';
import type { NodeContext } from '../../../../agent/node-context.ts';
import type { Endpoint } from '../../../../kube/objects.ts';
import { endpoint, NODE, service, slice } from '../support/objects.ts';

const CONTEXT: NodeContext = { nodeName: NODE, addresses: [], serve: 'All', externalIps: [] };
const NODE_ADDRESSES = new Set(['10.89.0.11']);

describe('agent: entries of connection tracking', () => {
  const cases: [string, string, Flow | null][] = [
    [
      'a flow that was answered',
      'udp      17 29 src=10.244.1.3 dst=10.96.0.1 sport=40000 dport=53 src=10.244.2.3 dst=10.244.1.3 sport=5353 dport=40000 [ASSURED] mark=0 use=1 id=77',
      {
        protocol: 'udp',
        source: '10.244.1.3',
        sourcePort: 40000,
        destination: '10.96.0.1',
        port: 53,
        replySource: '10.244.2.3',
        replyPort: 5353,
        id: 77,
      },
    ],
    [
      'one that was not',
      'udp      17 29 src=fd00::3 dst=fd00:96::1 sport=40000 dport=53 [UNREPLIED] src=fd00:96::1 dst=fd00::3 sport=53 dport=40000 mark=0 use=1 id=77',
      {
        protocol: 'udp',
        source: 'fd00::3',
        sourcePort: 40000,
        destination: 'fd00:96::1',
        port: 53,
        replySource: 'fd00:96::1',
        replyPort: 53,
        id: 77,
      },
    ],
    [
      'one of TCP',
      'tcp      6 118 SYN_SENT src=198.18.0.1 dst=203.0.113.1 sport=50000 dport=80 [UNREPLIED] src=203.0.113.1 dst=198.18.0.1 sport=80 dport=50000 mark=0 use=1 id=77',
      {
        protocol: 'tcp',
        source: '198.18.0.1',
        sourcePort: 50000,
        destination: '203.0.113.1',
        port: 80,
        replySource: '203.0.113.1',
        replyPort: 80,
        id: 77,
      },
    ],
    [
      'one whose packets are counted',
      'udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 packets=3 bytes=99 src=10.0.0.3 dst=10.0.0.1 sport=4 dport=1 packets=0 bytes=0 [ASSURED] mark=0 delta-time=3 use=1 id=4294967295',
      {
        protocol: 'udp',
        source: '10.0.0.1',
        sourcePort: 1,
        destination: '10.0.0.2',
        port: 2,
        replySource: '10.0.0.3',
        replyPort: 4,
        id: 4_294_967_295,
      },
    ],
    [
      'one in a zone, which is none of ours',
      'udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 zone=7 use=1 id=77',
      null,
    ],
    [
      'one of another protocol',
      'sctp     132 3 COOKIE_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 use=1 id=77',
      null,
    ],
    [
      'one without ports',
      'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=1 src=10.0.0.2 dst=10.0.0.1',
      null,
    ],
    ['a headline', 'conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.', null],
  ];
  for (const [name, line, expected] of cases) {
    it(`are read: ${name}`, () => {
      expect(parseFlow(line)).to.deep.equal(expected);
    });
  }
});

describe('agent: which flows are stale', () => {
  const udpService = (endpoints: Endpoint[], name = 'dns') => ({
    service: service(name, {
      type: 'NodePort',
      ports: [{ name: 'http', protocol: 'UDP', port: 53, nodePort: 30053 }],
    }),
    slices: [slice(name, endpoints, { ports: [{ name: 'http', protocol: 'UDP', port: 5353 }] })],
    loadBalancers: [],
    part: 'Everything' as const,
  });
  const frontendsOf = (...args: Parameters<typeof udpService>) =>
    collectFrontends(udpService(...args), 'UDP', CONTEXT);
  const to = (destination: string, port: number, replySource: string, replyPort = 5353): Flow => ({
    protocol: 'udp',
    source: '10.244.1.3',
    sourcePort: 40_000,
    destination,
    port,
    replySource,
    replyPort,
    id: 1,
  });
  const judge = (index: FrontendIndex, flow: Flow) => index.judge('ip', flow, NODE_ADDRESSES);

  const there = [endpoint('10.0.0.1'), endpoint('10.0.0.2', 'terminating'), endpoint('10.0.0.3', 'starting')];
  const cases: [string, Flow, string | null][] = [
    ['one with an endpoint that is ready', to('10.96.0.1', 53, '10.0.0.1'), null],
    ['one with an endpoint that terminates and serves', to('10.96.0.1', 53, '10.0.0.2'), null],
    ['one with an endpoint that does not serve', to('10.96.0.1', 53, '10.0.0.3'), 'NoSuchEndpoint'],
    ['one with an endpoint that went', to('10.96.0.1', 53, '10.0.0.9'), 'NoSuchEndpoint'],
    ['one with another port of an endpoint', to('10.96.0.1', 53, '10.0.0.1', 5354), 'NoSuchEndpoint'],
    ['one that was not translated', to('10.96.0.1', 53, '10.96.0.1', 53), 'NotTranslated'],
    ['one to a node port', to('10.89.0.11', 30053, '10.0.0.9'), 'NoSuchEndpoint'],
    ['one to that port of another machine', to('192.0.2.1', 30053, '192.0.2.1', 30053), null],
    ['one to another port', to('10.96.0.1', 54, '10.0.0.9'), null],
    ['one to another address', to('192.0.2.1', 53, '192.0.2.1', 53), null],
  ];
  for (const [name, flow, expected] of cases) {
    it(`${expected ?? 'not'}: ${name}`, () => {
      const index = new FrontendIndex();
      index.put('dns', frontendsOf(there));
      expect(judge(index, flow)).to.equal(expected);
    });
  }

  it('are those of a Service that is gone, but not those that were never its own', () => {
    const index = new FrontendIndex();
    index.put('dns', frontendsOf([endpoint('10.0.0.1')]));
    index.put('dns', frontendsOf([endpoint('10.0.0.2')]));
    index.put('dns', []);
    index.beginLook();
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.1'))).to.equal('FrontendGone');
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.2'))).to.equal('FrontendGone');
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.7'))).to.equal(null);
    index.endLook();
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.1'))).to.equal(null);
  });

  it('stay known for the next look when one failed, or when they came during one', () => {
    const index = new FrontendIndex();
    index.put('dns', frontendsOf([endpoint('10.0.0.1')]));
    index.put('dns', []);
    index.beginLook();
    index.put('other', frontendsOf([endpoint('10.0.0.2')], 'other'));
    index.put('other', []);
    index.beginLook();
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.1'))).to.equal('FrontendGone');
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.2'))).to.equal('FrontendGone');
  });

  it('are not those of either of two Services that claim one address', () => {
    const index = new FrontendIndex();
    index.put('dns', frontendsOf([endpoint('10.0.0.1')]));
    index.put('rival', frontendsOf([endpoint('10.0.0.2')], 'rival'));
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.1'))).to.equal(null);
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.2'))).to.equal(null);
  });

  it('need not be looked for when endpoints are added to others', () => {
    const [one, two] = [endpoint('10.0.0.1'), endpoint('10.0.0.2')];
    const index = new FrontendIndex();
    expect(index.put('dns', frontendsOf([one])), 'new').to.equal(true);
    expect(index.put('dns', frontendsOf([one, two])), 'one more').to.equal(false);
    expect(index.put('dns', frontendsOf([two])), 'one less').to.equal(true);
    expect(index.put('dns', frontendsOf([])), 'none').to.equal(true);
    expect(index.put('dns', frontendsOf([])), 'still none').to.equal(false);
    expect(index.put('dns', frontendsOf([one])), 'one again').to.equal(true);
  });

  it('are those of what a Service had for a moment only', () => {
    const index = new FrontendIndex();
    index.put('dns', frontendsOf([endpoint('10.0.0.1')]));
    expect(index.passOver(frontendsOf([endpoint('10.0.0.2')], 'dns'))).to.equal(true);
    expect(index.passOver([])).to.equal(false);
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.1'))).to.equal(null);
    index.put('dns', []);
    index.beginLook();
    expect(judge(index, to('10.96.0.1', 53, '10.0.0.2'))).to.equal('FrontendGone');
  });

  describe('of TCP that wait for their first answer', () => {
    const early = to('10.96.0.1', 53, '10.96.0.1', 53);
    let waiting: WaitingConnections;
    beforeEach(() => {
      waiting = new WaitingConnections();
    });
    const put = (...endpoints: Endpoint[]) => waiting.put('dns', frontendsOf(endpoints));
    const judge = (flow: Flow) => waiting.judge('ip', flow, NODE_ADDRESSES);

    it('do so in vain where they were not translated, to what is served since the last look', () => {
      put();
      expect(waiting.isWorthALook).to.equal(false);
      put(endpoint('10.0.0.1'));
      waiting.beginLook();
      expect(judge(early)).to.equal('NotTranslated');
      expect(judge(to('10.89.0.11', 30053, '10.89.0.11', 30053)), 'a node port').to.equal('NotTranslated');
      expect(judge(to('192.0.2.1', 30053, '192.0.2.1', 30053)), 'of another machine').to.equal(null);
      expect(judge(to('10.96.0.1', 53, '10.0.0.9')), 'translated').to.equal(null);
      expect(judge(to('10.96.0.1', 54, '10.96.0.1', 54)), 'another port').to.equal(null);
      waiting.endLook();
      put(endpoint('10.0.0.1'), endpoint('10.0.0.2'));
      expect(waiting.isWorthALook, 'more endpoints').to.equal(false);
      put();
      put(endpoint('10.0.0.2'));
      waiting.beginLook();
      expect(judge(early), 'served again').to.equal('NotTranslated');
    });

    it('do so in vain with an endpoint that went since the last look', () => {
      put(endpoint('10.0.0.1'), endpoint('10.0.0.2'));
      waiting.beginLook();
      waiting.endLook();
      put(endpoint('10.0.0.2'), endpoint('10.0.0.3'));
      waiting.beginLook();
      put(endpoint('10.0.0.3'));
      expect(judge(to('10.96.0.1', 53, '10.0.0.1'))).to.equal('NoSuchEndpoint');
      expect(judge(to('10.89.0.11', 30053, '10.0.0.1')), 'by a node port').to.equal('NoSuchEndpoint');
      expect(judge(to('10.96.0.1', 53, '10.0.0.2')), 'for the next look').to.equal(null);
      expect(judge(to('10.96.0.1', 53, '10.0.0.9')), 'never one of ours').to.equal(null);
      expect(judge(to('192.0.2.1', 53, '10.0.0.1')), 'dialled elsewhere').to.equal(null);
      expect(judge(early), 'served all the time').to.equal(null);
      waiting.endLook();
      waiting.put('dns', []);
      waiting.beginLook();
      expect(judge(to('10.96.0.1', 53, '10.0.0.2'))).to.equal('NoSuchEndpoint');
      expect(judge(to('10.96.0.1', 53, '10.0.0.3')), 'the Service is gone').to.equal('NoSuchEndpoint');
    });

    it('do not with an endpoint that is back', () => {
      put(endpoint('10.0.0.1'), endpoint('10.0.0.2'));
      waiting.beginLook();
      waiting.endLook();
      put(endpoint('10.0.0.2'));
      put(endpoint('10.0.0.1'), endpoint('10.0.0.2'));
      expect(waiting.isWorthALook).to.equal(false);
      waiting.beginLook();
      expect(judge(to('10.96.0.1', 53, '10.0.0.1'))).to.equal(null);
    });

    it('are looked for again, with what changed meanwhile, when a look failed', () => {
      put(endpoint('10.0.0.1'), endpoint('10.0.0.2'), endpoint('10.0.0.3'));
      waiting.beginLook();
      waiting.endLook();
      put(endpoint('10.0.0.2'), endpoint('10.0.0.3'));
      waiting.beginLook();
      put(endpoint('10.0.0.3'));
      waiting.beginLook();
      for (const gone of ['10.0.0.1', '10.0.0.2']) {
        expect(judge(to('10.96.0.1', 53, gone)), gone).to.equal('NoSuchEndpoint');
      }
    });
  });

  it('follows from what was told, whatever the order, as by a list of rules', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
    const states = ['ready', 'terminating', 'stopping', 'starting'] as const;
    const sketch = fc.uniqueArray(fc.tuple(fc.constantFrom(...addresses), fc.constantFrom(...states)), {
      selector: ([address]) => address,
    });
    const changes = fc.array(fc.tuple(fc.constantFrom('dns', 'rival'), fc.option(sketch)), { maxLength: 12 });
    fc.assert(
      fc.property(changes, fc.nat(), fc.constantFrom(...addresses, '10.96.0.1'), (told, lookAt, answerer) => {
        const index = new FrontendIndex();
        const now = new Map<string, readonly (readonly [string, string])[]>();
        const since = new Set<string>();
        const remember = (owner: string) => {
          for (const [address, state] of now.get(owner) ?? []) if (serves(state)) since.add(address);
        };
        const look = lookAt % (told.length + 1);
        for (const [at, [owner, endpoints]] of told.entries()) {
          if (at === look) {
            index.beginLook();
            index.endLook();
            since.clear();
          }
          remember(owner);
          if (endpoints === null) now.delete(owner);
          else now.set(owner, endpoints);
          const objects = (endpoints ?? []).map(([address, state]) => endpoint(address, state));
          index.put(owner, endpoints === null ? [] : frontendsOf(objects, owner));
        }
        index.beginLook();

        const serving = [...now.values()].flat().filter(([, state]) => serves(state));
        const isOurs = now.size > 0 || since.has(answerer);
        const isRight = serving.some(([address]) => address === answerer);
        const flow = to('10.96.0.1', 53, answerer, answerer === '10.96.0.1' ? 53 : 5353);
        expect(judge(index, flow) !== null).to.equal(isOurs && !isRight);
      }),
    );
  });
});

function serves(state: string): boolean {
  return state === 'ready' || state === 'terminating';
}
