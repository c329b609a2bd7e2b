import { expect } from 'chai';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  canonicalAddress,
  countAddresses,
  formatAddress,
  mergeRanges,
  parseAddress,
  parseRange,
  rangeHolds,
} from '../../../operator/allocate/address-ranges.ts';

describe('allocate/address-ranges', () => {
  const canonical: [text: string, expected: string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    // RFC 5952, 4.2.2 and 4.2.3: one group of zeros stays, the longest run goes, the first of two equal ones.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:c000:201', undefined],
    ['fd00::192.0.2.1', 'fd00::c000:201'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['fd00::', 'fd00::'],
    ['::1', '::1'],
    ['fd00:::1', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['192.0.2.01', undefined],
    ['0xC0000201', undefined],
    ['192.0.2', undefined],
    ['::ffff:192.0.2.1', undefined],
    ['fd00::1%eth0', undefined],
    ['example.com', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of canonical) {
    it(`reads "${text}" as ${expected ?? 'no address'}`, () => {
      expect(canonicalAddress(text)).to.equal(expected);
    });
  }

  it('gives every address one text that reads back to the same address', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ family: fc.constant('IPv4' as const), value: fc.bigInt(0n, (1n << 32n) - 1n) }),
          // Above ::ffff:0:0/96, which is refused.
          fc.record({ family: fc.constant('IPv6' as const), value: fc.bigInt(1n << 48n, (1n << 128n) - 1n) }),
        ),
        (address) => {
          expect(parseAddress(formatAddress(address))).to.deep.equal(address);
        },
      ),
    );
  });

  it('reads every text of an IPv6 address as ipaddr.js does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const parsed = ipaddr.IPv6.parse(text);
        const expected = parsed.isIPv4MappedAddress() ? undefined : parsed.toRFC5952String();

        expect(canonicalAddress(text)).to.equal(expected);
      }),
      { numRuns: 2000 },
    );
  });

  const ranges: [text: string, first: string, last: string, count: bigint][] = [
    ['192.0.2.0/28', '192.0.2.0', '192.0.2.15', 16n],
    ['192.0.2.9/28', '192.0.2.0', '192.0.2.15', 16n],
    ['192.0.2.10-192.0.2.20', '192.0.2.10', '192.0.2.20', 11n],
    [' 192.0.2.10 - 192.0.2.10 ', '192.0.2.10', '192.0.2.10', 1n],
    ['192.0.2.7', '192.0.2.7', '192.0.2.7', 1n],
    ['2001:db8::/64', '2001:db8::', '2001:db8::ffff:ffff:ffff:ffff', 1n << 64n],
    ['fd00:198::200-fd00:198::2ff', 'fd00:198::200', 'fd00:198::2ff', 256n],
  ];
  for (const [text, first, last, count] of ranges) {
    it(`reads the range "${text}"`, () => {
      const parsed = parseRange(text);

      if (parsed.kind !== 'range') throw new Error(parsed.message);
      const { family } = parsed.range;
      expect(formatAddress({ family, value: parsed.range.first })).to.equal(first);
      expect(formatAddress({ family, value: parsed.range.last })).to.equal(last);
      expect(countAddresses([parsed.range])).to.equal(count);
    });
  }

  const bad: [text: string, says: RegExp][] = [
    ['192.0.2.0/33', /prefix length outside 0 to 32/],
    ['192.0.2.0/', /prefix length/],
    ['2001:db8::/129', /prefix length outside 0 to 128/],
    ['192.0.2.9-192.0.2.1', /ends before it begins/],
    ['192.0.2.1-2001:db8::1', /mixes IPv4 and IPv6/],
    ['192.0.2.1-', /not a range/],
    ['192.0.2.1/24/8', /not an address/],
    ['nonsense', /not an address/],
    ['127.0.0.0/24', /loopback/],
    ['0.0.0.0/0', /this network/],
    ['224.0.0.0-224.0.0.5', /multicast/],
    ['fe80::/64', /link-local/],
    ['::/64', /unspecified/],
  ];
  for (const [text, says] of bad) {
    it(`refuses "${text}", saying why`, () => {
      const parsed = parseRange(text);

      if (parsed.kind !== 'invalid') throw new Error('taken as a range');
      expect(parsed.message).to.match(says);
    });
  }

  it('merges ranges without losing or doubling an address', () => {
    const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([first, length]) => ({
      family: 'IPv4' as const,
      first: BigInt(first),
      last: BigInt(first + length),
    }));
    fc.assert(
      fc.property(fc.array(range), (all) => {
        const merged = mergeRanges(all, 'IPv4');

        const values = Array.from({ length: 70 }, (_, value) => ({
          family: 'IPv4' as const,
          value: BigInt(value),
        }));
        const before = values.filter((value) => all.some((one) => rangeHolds(one, value)));
        const after = values.filter((value) => merged.some((one) => rangeHolds(one, value)));
        expect(after).to.deep.equal(before);
        expect(countAddresses(merged)).to.equal(BigInt(before.length));
      }),
    );
  });
});
