import { expect } from 'chai';
import fc from 'fast-check';
import { AddressBook, type AddressHolding } from '../../../operator/allocate/address-book.ts';
import type { AddressRequest } from '../../../operator/allocate/address-request.ts';
import { allocateAddresses } from '../../../operator/allocate/allocate-addresses.ts';
import { refuseToShare } from '../../../operator/allocate/share-address.ts';
import { addressPool, addressPools, addressRequest, claim } from './support.ts';

/** Pools small enough for every run to exhaust some, overlap some and lose some. */
const poolsArbitrary = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      first: fc.nat(6),
      length: fc.integer({ min: 1, max: 4 }),
      six: fc.boolean(),
      disabled: fc.boolean(),
      priority: fc.nat(1),
    }),
    { selector: (pool) => pool.name, maxLength: 3 },
  )
  .map((pools) =>
    addressPools(
      ...pools.map(({ name, first, length, six, disabled, priority }) => {
        const v4 = `192.0.2.${first}-192.0.2.${first + length - 1}`;
        const v6 = `fd00::${first + 1}-fd00::${first + length}`;
        return addressPool(name, six ? [v4, v6] : [v4], { disabled, priority });
      }),
    ),
  );

const requestArbitrary: fc.Arbitrary<AddressRequest> = fc
  .record({
    name: fc.constantFrom('n/a', 'n/b', 'n/c', 'n/d', 'n/e', 'm/a', 'm/b'),
    families: fc.constantFrom<AddressRequest['families']>(
      ['IPv4'],
      ['IPv6'],
      ['IPv4', 'IPv6'],
      ['IPv6', 'IPv4'],
    ),
    allFamilies: fc.boolean(),
    addresses: fc.constantFrom([], [], [], ['192.0.2.2'], ['fd00::3'], ['192.0.2.4', 'fd00::4'], ['bad']),
    pools: fc.constantFrom([], [], ['a'], ['b', 'c']),
    sharedKey: fc.constantFrom(undefined, undefined, 'k', 'l'),
    provider: fc.constantFrom('p', 'p', 'q'),
    port: fc.constantFrom(80, 443),
  })
  .map(({ name, port, ...rest }) =>
    addressRequest(name, { ...rest, frontends: [{ protocol: 'TCP', port }] }),
  );

type Step =
  | { kind: 'claim'; request: AddressRequest }
  | { kind: 'release'; index: number }
  | { kind: 'editPools'; pools: ReturnType<typeof addressPools> }
  | { kind: 'restart'; seed: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('claim' as const), request: requestArbitrary }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('editPools' as const), pools: poolsArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), seed: fc.nat() }) },
);

function holdings(book: AddressBook): AddressHolding[] {
  return book.owners.sort().flatMap((owner) => book.get(owner) ?? []);
}

/** The same claims taken in in another order. */
function rebuilt(book: AddressBook, seed: number): AddressBook {
  const again = new AddressBook();
  const all = holdings(book);
  for (let left = all.length; left > 0; left--) {
    const [next] = all.splice((seed * 7 + left * 13) % left, 1);
    if (next !== undefined) again.set(next);
  }
  return again;
}

function expectNothingTwice(book: AddressBook): void {
  const all = holdings(book);
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(index + 1)) {
      for (const { address } of one.claims) {
        if (other.claims.some((claim) => claim.address === address)) {
          expect(
            refuseToShare(address, one, other),
            `${one.owner} and ${other.owner} at ${address}`,
          ).to.equal(undefined);
        }
      }
    }
  }
}

/** What the Service didn't let go of by its own request must still be there. */
function expectKept(request: AddressRequest, before: AddressHolding | undefined, book: AddressBook): void {
  if (before === undefined || request.addresses.length > 0 || request.pools.length > 0) return;
  const after = book.get(request.owner)?.claims.map((claim) => claim.address) ?? [];
  for (const { address, family } of before.claims) {
    if (request.families.includes(family)) expect(after).to.include(address);
  }
}

describe('allocate/addresses, as properties', () => {
  it('never gives an address twice, always keeps it, and survives restarts, whatever happens in what order', () => {
    fc.assert(
      fc.property(poolsArbitrary, fc.array(stepArbitrary, { maxLength: 40 }), (firstPools, steps) => {
        let pools = firstPools;
        let book = new AddressBook();

        for (const step of steps) {
          if (step.kind === 'claim') {
            const before = book.get(step.request.owner);
            const others = holdings(book).filter((holding) => holding.owner !== step.request.owner);

            const decision = claim(book, pools, step.request);

            expectKept(step.request, before, book);
            expect(holdings(book).filter((holding) => holding.owner !== step.request.owner)).to.deep.equal(
              others,
            );
            if (decision.kind === 'refused') {
              expect(decision.claims).to.deep.equal(before?.claims ?? []);
              expect(decision.message).to.match(/^.{20,}\.$/);
              expect(decision.reason).to.match(/^[A-Z][A-Za-z]+$/);
            } else {
              const families = decision.claims.map((one) => one.family);
              expect(new Set(families).size).to.equal(families.length);
              if (step.request.allFamilies) expect(families).to.deep.equal(step.request.families);
              expect(allocateAddresses(step.request, pools, book).claims).to.deep.equal(decision.claims);
            }
          } else if (step.kind === 'release') {
            const owner = book.owners[step.index % Math.max(1, book.owners.length)];
            const released = owner === undefined ? [] : book.release(owner);
            for (const { address } of released) {
              expect(book.holdersOf(address).some((holding) => holding.owner === owner)).to.equal(false);
            }
          } else if (step.kind === 'editPools') pools = step.pools;
          else {
            const again = rebuilt(book, step.seed);
            expect(holdings(again)).to.deep.equal(holdings(book));
            book = again;
          }
          expectNothingTwice(book);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same answer from the same claims, in whatever order they were taken in', () => {
    fc.assert(
      fc.property(
        poolsArbitrary,
        fc.array(requestArbitrary, { maxLength: 20 }),
        requestArbitrary,
        fc.nat(),
        (pools, requests, next, seed) => {
          const book = new AddressBook();
          for (const request of requests) claim(book, pools, request);

          const answer = allocateAddresses(next, pools, book);

          expect(allocateAddresses(next, pools, rebuilt(book, seed))).to.deep.equal(answer);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('exhausts a pool to the last address, says so with counts, and serves again after a release', () => {
    fc.assert(
      fc.property(fc.integer({ min: 22, max: 30 }), fc.nat(), (length, pick) => {
        const size = 2 ** (32 - length);
        const pools = addressPools(addressPool('only', [`192.0.2.0/${length}`]));
        const book = new AddressBook();
        const given = Array.from({ length: size }, (_, index) => {
          return claim(book, pools, addressRequest(`n/s${index}`)).claims[0]?.address;
        });

        const refused = allocateAddresses(addressRequest('n/late'), pools, book);
        const [released] = book.release(`n/s${pick % size}.p`);
        const served = allocateAddresses(addressRequest('n/late'), pools, book);

        expect(new Set(given).size).to.equal(size);
        if (refused.kind !== 'refused') throw new Error('served from a full pool');
        expect(refused.reason).to.equal('AddressPoolExhausted');
        expect(refused.message).to.contain(`${size} of ${size}`);
        expect(served.claims[0]?.address).to.equal(released?.address);
      }),
      { numRuns: 20 },
    );
  });

  for (const cidr of ['198.18.0.0/16', '2001:db8::/64']) {
    it(`allocates thousands out of ${cidr} without slowing down as it fills`, () => {
      const pools = addressPools(addressPool('big', [cidr]));
      const book = new AddressBook();
      const families = [cidr.includes(':') ? ('IPv6' as const) : ('IPv4' as const)];
      const thousand = (start: number) => {
        const began = process.cpuUsage();
        for (let index = start; index < start + 1000; index++) {
          claim(book, pools, addressRequest(`n/s${index}`, { families }));
        }
        return process.cpuUsage(began).user / 1000;
      };

      const times = Array.from({ length: 10 }, (_, round) => thousand(round * 1000));

      expect(book.owners.length).to.equal(10_000);
      // Milliseconds of CPU, some 10 on an idle core: the clock would tell what else the machine does.
      expect(Math.min(...times.slice(-3))).to.be.lessThan(200);
    });
  }
});
