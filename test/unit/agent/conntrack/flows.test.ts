import { expect } from 'chai';
import { collectFrontends } from '../../../../agent/conntrack/collect-frontends.ts';
import { FrontendIndex } from '../../../../agent/conntrack/frontend-index.ts';
import { NewlyServed } from '../../../../agent/conntrack/newly-served.ts';
import { type Flow, parseFlow } from '../../../../agent/conntrack/parse-flow.ts';
import type { NodeContext } from '../../../../agent/node-context.ts';
import type { Endpoint } from '../../../../kube/objects.ts';
import { endpoint, NODE, service, slice } from '../support/objects.ts';

const CONTEXT: NodeContext = { nodeName: NODE, addresses: [], serve: 'All', externalIps: [] };
const NODE_ADDRESSES = new Set(['10.89.0.11']);

describe('agent: entries of connection tracking', () => {
  const cases: [string, string, Flow | null][] = [
    [
      'a flow that was answered',
      'udp      17 29 src=10.244.1.3 dst=10.96.0.1 sport=40000 dport=53 src=10.244.2.3 dst=10.244.1.3 sport=5353 dport=40000 [ASSURED] mark=0 use=1',
      { protocol: 'udp', destination: '10.96.0.1', port: 53, replySource: '10.244.2.3', replyPort: 5353 },
    ],
    [
      'one that was not',
      'udp      17 29 src=fd00::3 dst=fd00:96::1 sport=40000 dport=53 [UNREPLIED] src=fd00:96::1 dst=fd00::3 sport=53 dport=40000 mark=0 use=1',
      { protocol: 'udp', destination: 'fd00:96::1', port: 53, replySource: 'fd00:96::1', replyPort: 53 },
    ],
    [
      'one of TCP',
      'tcp      6 118 SYN_SENT src=198.18.0.1 dst=203.0.113.1 sport=50000 dport=80 [UNREPLIED] src=203.0.113.1 dst=198.18.0.1 sport=80 dport=50000 mark=0 use=1',
      { protocol: 'tcp', destination: '203.0.113.1', port: 80, replySource: '203.0.113.1', replyPort: 80 },
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
    destination,
    port,
    replySource,
    replyPort,
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

  it('of TCP can be only those to what is served anew', () => {
    const news = new NewlyServed();
    const put = (...endpoints: Endpoint[]) => news.put('dns', frontendsOf(endpoints)).map(({ key }) => key);
    expect(put()).to.deep.equal([]);
    expect(put(endpoint('10.0.0.1'))).to.deep.equal(['10.96.0.1 53', '* 30053']);
    expect(put(endpoint('10.0.0.2'))).to.deep.equal([]);
    expect(put()).to.deep.equal([]);
    expect(put(endpoint('10.0.0.2'))).to.have.length(2);
  });
});
