import { expect } from 'chai';
import fc from 'fast-check';
import { allocatePorts } from '../../../operator/allocate/allocate-ports.ts';
import { type HeldPort, PortBook, type PortKind } from '../../../operator/allocate/port-book.ts';
import type { PortRequest } from '../../../operator/allocate/port-request.ts';
import { NODE_PORT_RANGE, portPool, portPools, portRequest } from './support.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

const poolsArbitrary = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b'),
      offset: fc.nat(3),
      length: fc.integer({ min: 1, max: 5 }),
      disabled: fc.boolean(),
    }),
    { selector: (pool) => pool.name, maxLength: 2 },
  )
  .map((pools) =>
    portPools(
      ...pools.map(({ name, offset, length, disabled }) =>
        portPool(name, {
          nodePorts: [`${31000 + offset}-${31000 + offset + length}`],
          forwardingPorts: [`${40000 + offset}-${40000 + offset + length}`],
          disabled,
        }),
      ),
    ),
  );

const claimArbitrary = fc.record({
  kind: fc.constant('claim' as const),
  owner: fc.constantFrom('n/a', 'n/b', 'n/c', 'n/d'),
  ports: fc.uniqueArray(
    fc.record({ protocol: fc.constantFrom(...PROTOCOLS), port: fc.constantFrom(53, 80, 443) }),
    { selector: ({ protocol, port }) => `${protocol}/${port}`, minLength: 1, maxLength: 5 },
  ),
  pools: fc.constantFrom([], [], [], ['a'], ['b']),
  excluded: fc.uniqueArray(fc.constantFrom(31001, 31002, 40001), { maxLength: 2 }),
});
const stepArbitrary = fc.oneof(
  { weight: 6, arbitrary: claimArbitrary },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      owner: fc.constantFrom('n/a', 'n/b', 'n/c'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('editPools' as const), pools: poolsArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

interface Claimed {
  protocol: HeldPort['protocol'];
  port: number;
  number: number;
  pool?: string;
}

/** What the LoadBalancers in the API server would say. */
class Claims {
  readonly byOwner = new Map<string, Claimed[]>();
  book = new PortBook();
  readonly #kind: PortKind;

  constructor(kind: PortKind) {
    this.#kind = kind;
  }

  set(owner: string, ports: Claimed[]): void {
    this.byOwner.set(owner, ports);
    this.book.set({ owner, ports: ports.map((port) => ({ ...port, kind: this.#kind })) });
  }

  release(owner: string): void {
    this.byOwner.delete(owner);
    this.book.release(owner);
  }

  restart(): void {
    this.book = new PortBook();
    for (const [owner, ports] of [...this.byOwner].reverse()) this.set(owner, ports);
  }

  expectNothingTwice(): void {
    const owners = new Map<string, string>();
    for (const [owner, ports] of this.byOwner) {
      const own = new Set<string>();
      for (const { protocol, number } of ports) {
        const slot = `${protocol}/${number}`;
        expect(own.has(slot), `${slot} twice at ${owner}`).to.equal(false);
        own.add(slot);
        for (const taken of this.#kind === 'nodePort' ? PROTOCOLS.map((one) => `${one}/${number}`) : [slot]) {
          expect(owners.get(taken) ?? owner, `owner of ${taken}`).to.equal(owner);
          owners.set(taken, owner);
        }
      }
    }
  }
}

describe('allocate/ports, as properties', () => {
  for (const kind of ['forwardingPort', 'nodePort'] as const) {
    it(`never gives a ${kind} twice, always keeps it, and survives restarts, whatever happens`, () => {
      fc.assert(
        fc.property(poolsArbitrary, fc.array(stepArbitrary, { maxLength: 40 }), (firstPools, steps) => {
          let pools = firstPools;
          const claims = new Claims(kind);

          for (const step of steps) {
            if (step.kind === 'editPools') pools = step.pools;
            else if (step.kind === 'restart') claims.restart();
            else if (step.kind === 'release') claims.release(step.owner);
            else {
              const before = claims.byOwner.get(step.owner) ?? [];
              const request: PortRequest = portRequest(step.owner, {
                kind,
                pools: step.pools,
                excluded: new Set(step.excluded),
                ports: step.ports.map(({ protocol, port }) => {
                  const current = before.find((one) => one.protocol === protocol && one.port === port);
                  return { protocol, port, current };
                }),
              });

              const decision = allocatePorts(request, pools, claims.book, NODE_PORT_RANGE);

              expect(decision.ports.map(({ protocol, port }) => ({ protocol, port }))).to.deep.equal(
                step.ports,
              );
              for (const [index, { number }] of decision.ports.entries()) {
                const current = request.ports[index]?.current;
                if (decision.kind === 'refused' || step.pools.length === 0) {
                  if (current !== undefined) expect(number).to.equal(current.number);
                }
                if (number !== undefined && number !== current?.number) {
                  expect(step.excluded).not.to.include(number);
                }
              }
              if (decision.kind === 'granted') {
                claims.set(
                  step.owner,
                  decision.ports.flatMap((port) =>
                    port.number === undefined ? [] : { ...port, number: port.number },
                  ),
                );
              } else expect(decision.message).to.match(/^.{20,}\.$/);
            }
            claims.expectNothingTwice();
            const numbers = new Set([...claims.byOwner.values()].flat().map(({ number }) => number));
            expect(claims.book.countUsed(kind, [{ first: 1, last: 65535 }])).to.equal(numbers.size);
          }
        }),
        { numRuns: 400 },
      );
    });
  }

  it('finds thousands of ports without slowing down as the pool fills', () => {
    const pools = portPools(portPool('f', { forwardingPorts: ['33000-65535'] }));
    const book = new PortBook();
    const began = process.cpuUsage();

    for (let index = 0; index < 10_000; index++) {
      const decision = allocatePorts(portRequest(`n/s${index}`), pools, book, NODE_PORT_RANGE);
      book.set({
        owner: `n/s${index}`,
        ports: decision.ports.flatMap(({ protocol, number }) =>
          number === undefined ? [] : { kind: 'forwardingPort' as const, protocol, number },
        ),
      });
    }

    expect(book.countUsed('forwardingPort', [{ first: 33000, last: 65535 }], 'TCP')).to.equal(10_000);
    expect(process.cpuUsage(began).user / 1000).to.be.lessThan(3000);
  });
});
