import { expect } from 'chai';
import { splitRanges } from '../../../../providers/bigip/build/split-ranges.ts';

describe('providers/bigip/split-ranges', () => {
  it('lets everybody in where nothing is said, or everybody is', () => {
    for (const ranges of [[], ['0.0.0.0/0', '::/0']]) {
      for (const family of ['IPv4', 'IPv6'] as const) {
        expect(splitRanges(ranges).isOpen(family)).to.equal(true);
        expect(splitRanges(ranges).sourceOf(family)).to.deep.equal({ value: undefined });
      }
    }
  });

  it('takes everybody beside others for everybody', () => {
    const { sourceOf } = splitRanges(['203.0.113.0/24', '0.0.0.0/0', '2001:db8::/64', '::/0']);
    for (const family of ['IPv4', 'IPv6'] as const) {
      expect(sourceOf(family)).to.deep.equal({ value: undefined });
    }
  });

  it('closes a family that no range is of', () => {
    const { isOpen } = splitRanges(['203.0.113.0/24']);
    expect([isOpen('IPv4'), isOpen('IPv6')]).to.deep.equal([true, false]);
  });

  it('takes bits beyond the prefix away, names each once, and makes a list of several', () => {
    expect(splitRanges(['203.0.113.77/24', '203.0.113.0/24']).sourceOf('IPv4')).to.deep.equal({
      value: '203.0.113.0/24',
    });
    const { list, value } = splitRanges(['2001:db8::1/64', '2001:db8:1::/64']).sourceOf('IPv6');
    expect(value).to.deep.equal({ use: 'sources_ipv6' });
    expect(list?.addresses).to.deep.equal({
      class: 'Net_Address_List',
      addresses: ['2001:db8:1::/64', '2001:db8::/64'],
    });
  });
});
