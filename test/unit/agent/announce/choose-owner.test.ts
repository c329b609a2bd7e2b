import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Candidate,
  chooseOwner,
  scoreOf,
  type VirtualAddress,
} from '../../../../agent/announce/choose-owner.ts';

const OUTSIDE = [{ name: 'eth1', subnets: ['198.18.0.11/24'], defaultRoute: [] }];
const nobody = () => new Set<string>();

function candidate(node: string, more: Partial<Candidate> = {}): Candidate {
  return { node, labels: {}, interfaces: OUTSIDE, ...more };
}

function virtual(address: string, more: Partial<VirtualAddress> = {}): VirtualAddress {
  return { address, localServices: [], loadBalancers: ['default/web.lab'], ...more };
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `198.18.0.${i}`);
}

const nodeNames = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,12}[a-z0-9]$/), {
  minLength: 1,
  maxLength: 12,
});

describe('choosing the owner of an address', () => {
  it('depends on the candidates, not on their order', () => {
    fc.assert(
      fc.property(nodeNames, fc.nat({ max: 255 }), (names, last) => {
        const one = chooseOwner(
          virtual(`198.18.0.${last}`),
          names.map((name) => candidate(name)),
          nobody,
        );
        const other = chooseOwner(
          virtual(`198.18.0.${last}`),
          names.toReversed().map((name) => candidate(name)),
          nobody,
        );
        expect(one).to.deep.equal(other);
      }),
    );
  });

  it('moves only the addresses of the node that goes, and only to it when it comes back', () => {
    fc.assert(
      fc.property(
        nodeNames.filter((names) => names.length > 1),
        fc.nat(),
        (names, pick) => {
          const gone = names[pick % names.length];
          for (const address of addresses(50)) {
            const before = chooseOwner(
              virtual(address),
              names.map((name) => candidate(name)),
              nobody,
            ).owner;
            const rest = names.filter((name) => name !== gone).map((name) => candidate(name));
            const after = chooseOwner(virtual(address), rest, nobody).owner;
            if (before !== gone) expect(after).to.equal(before);
          }
        },
      ),
    );
  });

  it('spreads addresses evenly, next to each other as they are', () => {
    for (const nodes of [2, 3, 10]) {
      const names = Array.from({ length: nodes }, (_, i) => `worker-${i + 1}`);
      const counts = new Map<string, number>();
      for (let i = 0; i < 6000; i++) {
        const address = `198.${18 + Math.floor(i / 65536)}.${Math.floor(i / 256) % 256}.${i % 256}`;
        const [best = ''] = names.toSorted((a, b) => scoreOf(address, b) - scoreOf(address, a));
        counts.set(best, (counts.get(best) ?? 0) + 1);
      }
      const fair = 6000 / nodes;
      for (const [name, count] of counts) expect(count, name).to.be.within(fair * 0.85, fair * 1.15);
      expect(counts.size).to.equal(nodes);
    }
  });

  it('gives the same scores for ever: agents of two versions must agree', () => {
    const scores = [scoreOf('198.18.0.200', 'node-1'), scoreOf('fd00:198::200', 'node-2')];

    expect(scores).to.deep.equal(PINNED);
    expect(scores.every((score) => Number.isSafeInteger(score))).to.equal(true);
  });

  it('takes only nodes that the selector matches', () => {
    const nodeSelector = { matchLabels: { edge: 'true' } };
    const nodes = ['a', 'b', 'c', 'd'].map((name) =>
      candidate(name, name === 'c' ? { labels: { edge: 'true' } } : {}),
    );

    for (const address of addresses(20)) {
      expect(chooseOwner(virtual(address, { nodeSelector }), nodes, nobody)).to.deep.equal({
        owner: 'c',
        interface: 'eth1',
      });
    }
  });

  it('with policy Local takes a node that has endpoints, of all sharing Services before of some', () => {
    const ready = new Map([
      ['default/web', new Set(['a', 'b'])],
      ['default/dns', new Set(['b', 'c'])],
    ]);
    const readyNodes = (key: string) => ready.get(key) ?? new Set<string>();
    const nodes = ['a', 'b', 'c', 'd'].map((name) => candidate(name));

    for (const address of addresses(20)) {
      const one = chooseOwner(virtual(address, { localServices: ['default/web'] }), nodes, readyNodes);
      const both = chooseOwner(
        virtual(address, { localServices: ['default/web', 'default/dns'] }),
        nodes,
        readyNodes,
      );
      expect(one.owner).to.be.oneOf(['a', 'b']);
      expect(both.owner).to.equal('b');
    }
  });

  const cases: [string, VirtualAddress, Candidate[], string][] = [
    ['there is no live agent', virtual('198.18.0.1'), [], 'NoLiveAgent'],
    [
      'the selector matches no node',
      virtual('198.18.0.1', { nodeSelector: { matchLabels: { edge: 'true' } } }),
      [candidate('a')],
      'NoNodeMatchesSelector',
    ],
    [
      'no node has the configured interface',
      virtual('198.18.0.1', { interfaces: ['bond0'] }),
      [candidate('a')],
      'NoSuchInterface',
    ],
    ['no interface fits the address', virtual('203.0.113.1'), [candidate('a')], 'NoInterfaceForAddress'],
    [
      'no node that could own it has an endpoint',
      virtual('198.18.0.1', { localServices: ['default/web'] }),
      [candidate('a'), candidate('b', { interfaces: [] })],
      'NoLocalEndpoint',
    ],
  ];
  for (const [what, address, nodes, reason] of cases) {
    it(`nobody owns it when ${what}: ${reason}`, () => {
      expect(chooseOwner(address, nodes, nobody)).to.deep.equal({ reason });
    });
  }
});

const PINNED = [5948486812597128, 3561164209014729];
