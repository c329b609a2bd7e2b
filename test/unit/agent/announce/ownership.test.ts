import { expect } from 'chai';
import fc from 'fast-check';
import { CALM_AFTER_MS, type Fault, SimulatedCluster } from './simulated-cluster.ts';

const ADDRESSES = ['198.18.0.200', '198.18.0.201', '198.18.0.202', '198.18.0.203'];
const KINDS = ['cutFromApi', 'apiDown', 'isolated', 'paused', 'restarted', 'watchStuck'] as const;
const END = CALM_AFTER_MS + 12_000;

const span = {
  at: fc.integer({ min: 100, max: 1000 }).map((at) => at * 20),
  ms: fc.integer({ min: 10, max: 9000 }),
};
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...KINDS), node: fc.nat({ max: 4 }), ...span }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('split' as const), node: fc.nat({ max: 31 }), ...span }),
  },
);

/** A small generator of its own (xorshift), so that a run depends on its seed alone. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function run(
  nodes: number,
  faults: readonly Fault[],
  seed: number,
  clockRates: readonly number[],
  apiOutage: 'Keep' | 'Fence',
) {
  const cluster = new SimulatedCluster(
    { nodes, faults, clockRates, random: randomFrom(seed), apiOutage },
    ADDRESSES,
  );
  const twice: string[] = [];
  cluster.runTo(END, () => {
    for (const address of ADDRESSES) {
      const owners = cluster.owners(address);
      if (owners.length > 1) twice.push(`${cluster.now}: ${address} ${owners.join(' ')}`);
    }
  });
  return { cluster, twice };
}

describe('ownership under cut networks, pauses, restarts and clocks that differ', function () {
  this.timeout(120_000);

  for (const apiOutage of ['Keep', 'Fence'] as const) {
    it(`no two nodes answer for one address, and in the end each has its owner (${apiOutage})`, () => {
      const scenario = fc.record({
        nodes: fc.integer({ min: 1, max: 5 }),
        faults: fc.array(fault, { maxLength: 7 }),
        seed: fc.integer({ min: 1 }),
        clockRates: fc.array(fc.double({ min: 0.96, max: 1.04, noNaN: true }), {
          minLength: 5,
          maxLength: 5,
        }),
      });
      fc.assert(
        fc.property(scenario, ({ nodes, faults, seed, clockRates }) => {
          const { cluster, twice } = run(nodes, faults, seed, clockRates, apiOutage);
          expect(twice).to.deep.equal([]);
          for (const address of ADDRESSES) {
            expect(cluster.owners(address), address).to.deep.equal([cluster.preferred(address)]);
          }
        }),
        { numRuns: Number(process.env.ANNOUNCE_RUNS ?? 60) },
      );
    });
  }
});
