import { expect } from 'chai';
import fc from 'fast-check';
import type { Family } from '../../../../agent/endpoints/canonical-address.ts';
import { buildStickyPool } from '../../../../agent/nftables/build-sticky-pool.ts';
import { chainsOf } from '../../../../agent/nftables/describe-chains.ts';
import { renderChain } from '../../../../agent/nftables/render-chain.ts';

const TABLE = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000 };

/** Rules by chain, of one port with affinity, as they are written. */
function rulesOf(family: Family, targets: readonly string[]): { top: string; rules: Map<string, string[]> } {
  const any = buildStickyPool({ family, owner: 'default/web:', protocol: 'tcp', seconds: 60 }, targets);
  const frontend = {
    family,
    place: 'services' as const,
    key: family === 'ip' ? '10.96.0.1 . tcp . 80' : 'fd00:96::1 . tcp . 80',
    treatment: 'pick' as const,
    endpoints: targets,
    sticky: { any },
  };
  const rules = new Map(
    chainsOf(frontend).map((chain) => [
      chain.name,
      renderChain(family, chain, TABLE)
        .filter((line) => line.startsWith('add rule '))
        .map((line) => line.split(' ').slice(5).join(' ')),
    ]),
  );
  return { top: any.chain, rules };
}

/** Where a sticky chain leads, by its name. */
function targetsOf(rules: ReadonlyMap<string, string[]>): Map<string, string> {
  return new Map(
    [...rules].flatMap(([name, lines]) => {
      const target = / dnat ip6? to (\S+)/.exec(lines[0] ?? '')?.[1];
      return target === undefined ? [] : [[name, target] as const];
    }),
  );
}

/** The rules that a packet of a client that nobody knows passes, in their order. */
function passedBy(rules: ReadonlyMap<string, string[]>, chain: string): string[] {
  return (rules.get(chain) ?? []).flatMap((rule) => {
    const inner = /^jump (\S+)$/.exec(rule)?.[1];
    return inner === undefined ? [rule] : [rule, ...passedBy(rules, inner)];
  });
}

const addressOf = (family: Family, index: number) =>
  family === 'ip' ? `10.244.${index >> 8}.${index & 255}` : `fd00:244::${index.toString(16)}`;
const endpointsOf = (family: Family, count: number) =>
  Array.from({ length: count }, (_, index) => `${addressOf(family, index)} . 8080`).sort();
const written = (family: Family, endpoint: string) => {
  const [address, port] = endpoint.split(' . ');
  return family === 'ip' ? `${address}:${port}` : `[${address}]:${port}`;
};

describe('agent: rules of session affinity', () => {
  it('look for each endpoint once, then choose between all with the same chance, however many', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Family>('ip', 'ip6'),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 700 })),
        (family, count) => {
          const endpoints = endpointsOf(family, count);
          const { top, rules } = rulesOf(family, endpoints);
          const targets = targetsOf(rules);
          const passed = passedBy(rules, top).filter((rule) => !rule.startsWith('jump '));
          const choice = passed.pop() ?? '';
          const lookups = passed.map((rule) => / @affinity goto (\S+)$/.exec(rule)?.[1] ?? rule);
          const expected = endpoints.map((endpoint) => written(family, endpoint));
          expect(lookups.map((chain) => targets.get(chain))).to.have.members(expected);
          expect(lookups).to.have.length(count);

          const chosen = [...choice.matchAll(/(\d+) : goto ([\w-]+)/g)];
          if (count === 1) {
            expect(choice).to.equal(`goto ${lookups[0]}`);
            return;
          }
          expect(choice).to.match(new RegExp(`^numgen random mod ${count} vmap `));
          expect(chosen.map(([, number]) => Number(number))).to.deep.equal(
            Array.from({ length: count }, (_, index) => index),
          );
          expect(chosen.map(([, , chain]) => targets.get(chain ?? ''))).to.have.members(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stay for the most part when an endpoint comes or goes, however many there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1_500 }), fc.nat(), (count, seed) => {
        const all = endpointsOf('ip', count);
        const less = all.filter((_, index) => index !== seed % count);
        for (const [before, after] of [
          [all, less],
          [less, all],
        ] as const) {
          const known = rulesOf('ip', before).rules;
          const made = [...rulesOf('ip', after).rules].filter(([name]) => !known.has(name));
          // The top chain, the part that it is in, and where another part divides or is joined two more; its own chain.
          expect(made.length).to.be.at.most(5);
          const rules = made.reduce((sum, [, each]) => sum + each.length, 0);
          expect(rules).to.be.at.most(count / 16 + 250);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('pass at most a chain in a chain, each looked through once', () => {
    const { top, rules } = rulesOf('ip6', endpointsOf('ip6', 2_000));
    const jumps = (rules.get(top) ?? []).filter((rule) => rule.startsWith('jump '));
    expect(jumps.length).to.be.within(40, 63);
    expect(new Set(jumps)).to.have.length(jumps.length);
    for (const jump of jumps) {
      const inner = rules.get(jump.slice(5)) ?? [];
      expect(inner.length).to.be.within(1, 120);
      expect(inner.join()).not.to.include('jump');
    }
  });

  it('remember what they look for', () => {
    const { top, rules } = rulesOf('ip', endpointsOf('ip', 5));
    for (const rule of rules.get(top)?.slice(0, -1) ?? []) {
      const [, first, second, chain = ''] =
        /^ip saddr \. ip daddr & 0\.0\.0\.0 \^ (\S+) \. ip daddr & 0\.0\.0\.0 \^ (\S+) @affinity goto (\S+)$/.exec(
          rule,
        ) ?? [];
      expect(rules.get(chain)?.[0]).to.include(
        `update @affinity { ip saddr . ${first} . ${second} timeout 60s }`,
      );
    }
  });
});
