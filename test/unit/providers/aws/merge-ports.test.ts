import { expect } from 'chai';
import fc from 'fast-check';
import { covers, mergePorts } from '../../../../providers/aws/apply/merge-ports.ts';
import type { SecurityGroupPorts } from '../../../../providers/aws/model.ts';

const port = fc
  .record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    fromPort: fc.integer({ min: 1, max: 2000 }),
    length: fc.integer({ min: 0, max: 20 }),
  })
  .map(({ fromPort, length, protocol }) => ({ protocol, fromPort, toPort: fromPort + length }));

const tcp = (fromPort: number, toPort = fromPort): SecurityGroupPorts => ({
  protocol: 'tcp',
  fromPort,
  toPort,
});

describe('providers/aws/merge-ports', () => {
  it('lets in all that is asked for, in no more ranges than may be, none of which touch', () => {
    fc.assert(
      fc.property(fc.array(port, { maxLength: 80 }), fc.integer({ min: 2, max: 40 }), (ports, most) => {
        const merged = mergePorts(ports, most);
        expect(merged.length).to.be.at.most(most);
        expect(covers(merged, ports)).to.equal(true);
        expect(mergePorts(merged, most)).to.deep.equal(merged);
        expect(mergePorts([...ports].reverse(), most)).to.deep.equal(merged);
      }),
    );
  });

  it('opens nothing else while there is room', () => {
    expect(mergePorts([tcp(30000), tcp(30002), tcp(30001), tcp(30005, 30007), tcp(30006)], 40)).to.deep.equal(
      [tcp(30000, 30002), tcp(30005, 30007)],
    );
  });

  it('joins where the gap is smallest', () => {
    expect(mergePorts([tcp(100), tcp(200), tcp(210), tcp(400)], 3)).to.deep.equal([
      tcp(100),
      tcp(200, 210),
      tcp(400),
    ]);
  });

  it('never joins ICMP with anything', () => {
    const icmp: SecurityGroupPorts = { protocol: 'icmp', fromPort: 3, toPort: 4 };
    const other: SecurityGroupPorts = { protocol: 'icmp', fromPort: 4, toPort: 0 };
    expect(mergePorts([icmp, other, icmp, tcp(3)], 3)).to.deep.equal([icmp, other, tcp(3)]);
  });
});
