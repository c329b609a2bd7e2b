import { expect } from 'chai';
import fc from 'fast-check';
import { buildStickyPool } from '../../../../agent/nftables/build-sticky-pool.ts';
import { chainsOf } from '../../../../agent/nftables/describe-chains.ts';
import { KernelModel } from '../../../../agent/nftables/kernel-model.ts';
import { type Entry, type Frontend, idOf, isFrontend } from '../../../../agent/nftables/model.ts';

const TABLE = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000 };
const PORT = { family: 'ip', owner: 'default/web:', protocol: 'tcp', seconds: 60 } as const;

interface Sketch {
  host: number;
  endpoints: number[];
  near: number[];
  treatment: Frontend['treatment'];
  isSticky: boolean;
  ranges: boolean;
}

function frontend({ host, endpoints, near, treatment, isSticky, ranges }: Sketch): Entry {
  const targets = (hosts: readonly number[]) => hosts.map((each) => `10.0.0.${each} . 8080`).sort();
  const local = targets(near.filter((each) => endpoints.includes(each)));
  const all = targets(endpoints);
  return {
    family: 'ip',
    place: 'services',
    key: `10.96.0.${host} . tcp . 80`,
    treatment,
    endpoints: all,
    ...(treatment === 'local' ? { near: local } : {}),
    ...(isSticky && all.length > 0
      ? {
          sticky: {
            any: buildStickyPool(PORT, all),
            ...(local.length === 0 ? {} : { near: buildStickyPool(PORT, local) }),
          },
        }
      : {}),
    ...(ranges ? { ranges: ['198.18.0.0/24'] } : {}),
  };
}

/** What entries lead into, straight or by other chains, found by a walk over all of them. */
function usedBy(entries: Iterable<Entry>): string[] {
  const names = [...entries].flatMap((entry) =>
    isFrontend(entry) ? chainsOf(entry).map(({ name }) => name) : [],
  );
  return [...new Set(names)].sort();
}

const hosts = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 5 });
const sketch = fc.record({
  host: fc.integer({ min: 1, max: 3 }),
  endpoints: hosts,
  near: hosts,
  treatment: fc.constantFrom('pick' as const, 'external' as const, 'local' as const),
  isSticky: fc.boolean(),
  ranges: fc.boolean(),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), sketch }) },
  fc.record({ kind: fc.constant('remove' as const), host: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('collect' as const), weight: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('reset' as const) }),
);

describe('agent: counting what leads into chains', () => {
  it('knows those that nothing leads to, as a walk over all entries does, whatever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const model = new KernelModel();
        const book = new Map<string, Entry>();
        const commit = async (ids: Iterable<string>, extent: 'change' | 'reset') => {
          const request = { ids, desired: (id: string) => book.get(id), extent };
          model.merge(await model.build(request, TABLE));
        };
        for (const each of steps) {
          if (each.kind === 'collect') model.chains.forget(model.chains.listUnused(each.weight, 1));
          else if (each.kind === 'reset') await commit(book.keys(), 'reset');
          else {
            const entry = frontend(
              each.kind === 'put'
                ? each.sketch
                : {
                    host: each.host,
                    endpoints: [],
                    near: [],
                    treatment: 'pick',
                    isSticky: false,
                    ranges: false,
                  },
            );
            if (each.kind === 'put') book.set(idOf(entry), entry);
            else book.delete(idOf(entry));
            await commit([idOf(entry)], 'change');
          }
          const used = usedBy(book.values());
          const held = model.chains.namesOf('ip');
          expect(held).to.include.members(used);
          const unused = model.chains.listUnused(Number.POSITIVE_INFINITY, 1).map((key) => key.slice(3));
          expect(unused.filter((name) => used.includes(name))).to.deep.equal([]);
          // Those that only an unused one leads to come after it.
          expect(unused.length > 0).to.equal(held.length > used.length);
        }
        while (model.chains.unused > 0) model.chains.forget(model.chains.listUnused(1, 1));
        expect(model.chains.namesOf('ip').sort()).to.deep.equal(usedBy(book.values()));
      }),
      { numRuns: 300 },
    );
  });

  it('lists so much at a time, those that were postponed last, and another agent’s first that lead to others', () => {
    const { chains } = new KernelModel();
    chains.adopt('ip6', ['sticky-1', 'affinity-1', 'pick-2', 'external-affinity-1', 'dispatch']);
    expect(chains.listUnused(Number.POSITIVE_INFINITY, 1)).to.deep.equal([
      'ip6 external-affinity-1',
      'ip6 affinity-1',
      'ip6 sticky-1',
      'ip6 pick-2',
    ]);
    expect(chains.listUnused(1, 1)).to.deep.equal(['ip6 external-affinity-1']);
    expect(chains.listUnused(1, 3)).to.have.length(3);
    chains.postpone(['ip6 external-affinity-1', 'ip6 affinity-1']);
    expect(chains.listUnused(10, 1)).to.deep.equal(['ip6 sticky-1', 'ip6 pick-2']);
  });
});
