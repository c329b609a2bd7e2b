import { expect } from 'chai';
import { allocatePorts, type PortDecision } from '../../../operator/allocate/allocate-ports.ts';
import { PortBook } from '../../../operator/allocate/port-book.ts';
import { parsePortRange, staticBand, withoutRange } from '../../../operator/allocate/port-ranges.ts';
import type { PortRequest } from '../../../operator/allocate/port-request.ts';
import { NODE_PORT_RANGE, portPool, portPools, portRequest } from './support.ts';

const tcp = (port: number, current?: { number: number; pool?: string }) => {
  return { protocol: 'TCP' as const, port, current };
};
const udp = (port: number, current?: { number: number; pool?: string }) => {
  return { protocol: 'UDP' as const, port, current };
};

function decide(
  request: PortRequest,
  pools: ReturnType<typeof portPools>,
  book: PortBook = new PortBook(),
): PortDecision {
  return allocatePorts(request, pools, book, NODE_PORT_RANGE);
}

function numbers(decision: PortDecision): (number | undefined)[] {
  return decision.ports.map((port) => port.number);
}

function refusal(decision: PortDecision): { reason: string; message: string } {
  if (decision.kind !== 'refused') throw new Error(`granted ${numbers(decision).join()}`);
  return decision;
}

function bookWith(
  kind: PortRequest['kind'],
  owner: string,
  ...held: [protocol: 'TCP' | 'UDP', number: number][]
) {
  const book = new PortBook();
  book.set({ owner, ports: held.map(([protocol, number]) => ({ kind, protocol, number })) });
  return book;
}

describe('allocate/port-ranges', () => {
  it('reads ports and ranges, and nothing else', () => {
    expect(parsePortRange('31000-31999')).to.deep.equal({ first: 31000, last: 31999 });
    expect(parsePortRange('80')).to.deep.equal({ first: 80, last: 80 });
    for (const text of ['', '0', '65536', '9-8', '1-2-3', 'http', '1,2']) {
      expect(parsePortRange(text), text).to.equal(undefined);
    }
  });

  // The examples of KEP-3668.
  const bands: [first: number, last: number, band: [number, number] | undefined][] = [
    [30000, 32767, [30000, 30085]],
    [30000, 30015, undefined],
    [30000, 30127, [30000, 30015]],
    [20000, 30000, [20000, 20127]],
  ];
  for (const [first, last, band] of bands) {
    it(`leaves ${band === undefined ? 'nothing' : band.join('-')} of ${first}-${last} to people`, () => {
      expect(staticBand({ first, last })).to.deep.equal(
        band === undefined ? undefined : { first: band[0], last: band[1] },
      );
    });
  }

  it('cuts a range out of others', () => {
    const all = [{ first: 1, last: 10 }];

    expect(withoutRange(all, { first: 4, last: 6 })).to.deep.equal([
      { first: 1, last: 3 },
      { first: 7, last: 10 },
    ]);
    expect(withoutRange(all, { first: 0, last: 20 })).to.deep.equal([]);
    expect(withoutRange(all, { first: 11, last: 20 })).to.deep.equal(all);
  });
});

describe('allocate/allocate-ports', () => {
  describe('forwarding ports', () => {
    const pools = portPools(portPool('f', { forwardingPorts: ['40000-40003'] }));

    it('gives each port of a Service a number of its own', () => {
      expect(numbers(decide(portRequest('n/s', { ports: [tcp(80), tcp(443)] }), pools))).to.deep.equal([
        40000, 40001,
      ]);
    });

    it('gives the protocols of one port one number', () => {
      const book = bookWith('forwardingPort', 'n/other', ['UDP', 40000]);

      const decision = decide(portRequest('n/s', { ports: [tcp(53), udp(53), tcp(853)] }), pools, book);

      expect(numbers(decision)).to.deep.equal([40001, 40001, 40000]);
    });

    it('gives the protocols of one port different numbers when there is no common one', () => {
      const book = bookWith(
        'forwardingPort',
        'n/other',
        ['TCP', 40000],
        ['UDP', 40001],
        ['TCP', 40002],
        ['UDP', 40003],
      );

      const decision = decide(portRequest('n/s', { ports: [tcp(53), udp(53)] }), pools, book);

      expect(numbers(decision)).to.deep.equal([40001, 40000]);
    });

    it('gives a protocol that is added the number of the one that is there', () => {
      const decision = decide(
        portRequest('n/s', { ports: [udp(53), tcp(53, { number: 40002, pool: 'f' })] }),
        pools,
        bookWith('forwardingPort', 'n/s', ['TCP', 40002]),
      );

      expect(numbers(decision)).to.deep.equal([40002, 40002]);
    });

    it('gives a number to two Services only for different protocols', () => {
      const book = bookWith('forwardingPort', 'n/other', ['UDP', 40000]);

      expect(numbers(decide(portRequest('n/s'), pools, book))).to.deep.equal([40000]);
      expect(numbers(decide(portRequest('n/s', { ports: [udp(80)] }), pools, book))).to.deep.equal([40001]);
    });

    it('says that a pool is exhausted, with counts, and gives part of the ports to nobody', () => {
      const { reason, message } = refusal(
        decide(portRequest('n/s', { ports: [1, 2, 3, 4, 5].map((port) => tcp(port)) }), pools),
      );
      const full = bookWith(
        'forwardingPort',
        'n/o',
        ['TCP', 40000],
        ['TCP', 40001],
        ['TCP', 40002],
        ['TCP', 40003],
      );

      expect(reason).to.equal('PortPoolExhausted');
      expect(message).to.contain('pool "f"');
      expect(refusal(decide(portRequest('n/s'), pools, full)).message).to.contain(
        'pool "f" is exhausted (4 of 4 TCP forwarding ports in use)',
      );
    });

    it('says that there is no pool, or none that serves', () => {
      const others = portPools(
        portPool('off', { forwardingPorts: ['40000'], disabled: true }),
        portPool('node', { nodePorts: ['31000'] }),
        portPool('team', { forwardingPorts: ['40000'], namespaceSelector: { matchLabels: { team: 'x' } } }),
      );

      expect(refusal(decide(portRequest('n/s'), [])).reason).to.equal('NoPortPool');
      expect(refusal(decide(portRequest('n/s'), others)).message).to.equal(
        'No forwarding port: pool "node" has no forwarding ports to give out; pool "off" is disabled; ' +
          'pool "team" does not select namespace "n". ' +
          'Ask for a pool that serves this Service with fairlead.dev/port-pool, or have one changed.',
      );
      expect(refusal(decide(portRequest('n/s', { pools: ['x'] }), pools)).reason).to.equal(
        'PortPoolNotFound',
      );
    });

    it('stays out of the node port range', () => {
      const overlapping = portPools(portPool('f', { forwardingPorts: ['32766-32769'] }));

      const decision = decide(portRequest('n/s', { ports: [tcp(1), tcp(2)] }), overlapping);

      expect(numbers(decision)).to.deep.equal([32768, 32769]);
      expect(overlapping[0]?.findings.map((finding) => finding.reason)).to.deep.equal([
        'PortsInNodePortRange',
      ]);
    });

    it('keeps what was claimed when the pool loses it, and says so', () => {
      const shrunk = portPools(portPool('f', { forwardingPorts: ['40003'] }));

      const decision = decide(
        portRequest('n/s', { ports: [tcp(80, { number: 40001, pool: 'f' }), tcp(443)] }),
        shrunk,
        bookWith('forwardingPort', 'n/s', ['TCP', 40001]),
      );

      expect(numbers(decision)).to.deep.equal([40001, 40003]);
      expect(decision.findings.map((finding) => finding.reason)).to.deep.equal(['PortOutsidePool']);
    });

    it('moves to the pool that the Service asks for, and keeps what it has when that one is full', () => {
      const two = portPools(
        portPool('f', { forwardingPorts: ['40000'] }),
        portPool('g', { forwardingPorts: ['50000'] }),
      );
      const request = portRequest('n/s', { ports: [tcp(80, { number: 40000, pool: 'f' })], pools: ['g'] });

      expect(decide(request, two).ports).to.deep.equal([
        { protocol: 'TCP', port: 80, number: 50000, pool: 'g' },
      ]);
      const full = decide(request, two, bookWith('forwardingPort', 'n/o', ['TCP', 50000]));
      expect(refusal(full).reason).to.equal('PortPoolExhausted');
      expect(full.ports).to.deep.equal([{ protocol: 'TCP', port: 80, number: 40000, pool: 'f' }]);
    });
  });

  describe('node ports', () => {
    const pools = portPools(portPool('np', { nodePorts: ['30080-30090', '31000-31001'] }));
    const request = (ports: PortRequest['ports'], changes: Partial<PortRequest> = {}) =>
      portRequest('n/s', { kind: 'nodePort', ports, ...changes });

    it('leaves the choice to Kubernetes when no pool serves', () => {
      const decision = decide(request([tcp(80, { number: 31234 }), tcp(443)]), []);

      expect(decision.kind).to.equal('granted');
      expect(decision.ports).to.deep.equal([
        { protocol: 'TCP', port: 80, number: 31234 },
        { protocol: 'TCP', port: 443 },
      ]);
    });

    it('replaces what Kubernetes picked by a port of the pool, above the static band', () => {
      expect(decide(request([tcp(80, { number: 32000 })]), pools).ports).to.deep.equal([
        { protocol: 'TCP', port: 80, number: 30086, pool: 'np' },
      ]);
      expect(pools[0]?.findings.map((finding) => finding.reason)).to.deep.equal(['PortsInStaticBand']);
    });

    it('adopts what Kubernetes picked when the pool holds it', () => {
      expect(decide(request([tcp(80, { number: 31001 })]), pools).ports).to.deep.equal([
        { protocol: 'TCP', port: 80, number: 31001, pool: 'np' },
      ]);
    });

    it('leaves a port of the static band as the person chose it', () => {
      expect(decide(request([tcp(80, { number: 30081 })]), pools).ports).to.deep.equal([
        { protocol: 'TCP', port: 80, number: 30081 },
      ]);
    });

    it('goes on to the next number after the API server refused some', () => {
      const excluded = new Set([30086, 30087]);

      expect(numbers(decide(request([tcp(80)], { excluded }), pools))).to.deep.equal([30088]);
    });

    it('counts a number as taken for every protocol when another Service has it', () => {
      const book = bookWith('nodePort', 'n/other', ['UDP', 30086]);

      expect(numbers(decide(request([tcp(80)]), pools, book))).to.deep.equal([30087]);
    });

    it('proposes again what was claimed before a crash and never reached the Service', () => {
      const book = bookWith('nodePort', 'n/s', ['TCP', 31000]);

      expect(numbers(decide(request([tcp(80, { number: 32000 })]), pools, book))).to.deep.equal([31000]);
    });

    it('says how many numbers the API server refused when none is left', () => {
      const one = portPools(portPool('np', { nodePorts: ['31000'] }));

      const { message } = refusal(decide(request([tcp(80)], { excluded: new Set([31000]) }), one));

      expect(message).to.contain('0 of 1 TCP node ports in use, and the API server refused 1');
    });
  });

  it('tells both of two owners that have one number, and moves neither', () => {
    const pools = portPools(portPool('f', { forwardingPorts: ['40000-40003'] }));
    const book = bookWith('forwardingPort', 'n/a', ['TCP', 40000]);
    book.set({ owner: 'n/b', ports: [{ kind: 'forwardingPort', protocol: 'TCP', number: 40000 }] });

    const decision = decide(
      portRequest('n/b', { ports: [tcp(80, { number: 40000, pool: 'f' })] }),
      pools,
      book,
    );

    expect(numbers(decision)).to.deep.equal([40000]);
    expect(decision.findings[0]?.reason).to.equal('PortClaimedTwice');
    expect(decision.findings[0]?.message).to.contain('n/a');
  });
});
