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
