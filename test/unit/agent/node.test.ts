import { expect } from 'chai';
import fc from 'fast-check';
import { collectNodePortAddresses } from '../../../agent/collect-node-addresses.ts';
import { dropContained } from '../../../agent/drop-contained.ts';
import type { Node } from '../../../kube/objects.ts';

function node(...addresses: [string, string][]): Node {
  return {
    metadata: { name: 'n1' },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  };
}

function found(...parameters: Parameters<typeof collectNodePortAddresses>): string[] {
  return collectNodePortAddresses(...parameters).map(({ key }) => key);
}

describe('agent: where node ports answer', () => {
  it('is the first internal address of each family, else the first external one', () => {
    const several = node(
      ['Hostname', 'n1'],
      ['ExternalIP', '203.0.113.1'],
      ['ExternalIP', 'FD00::9'],
      ['InternalIP', '10.0.0.1'],
      ['InternalIP', '10.0.0.2'],
    );
    expect(found('primary', several, [])).to.deep.equal(['10.0.0.1', 'fd00::9']);
    expect(found('primary', undefined, [])).to.deep.equal([]);
  });

  it('is what lies in the CIDRs, and all of a family that no CIDR is of, but never loopback or link-local', () => {
    const local = ['127.0.0.1', '::1', '10.0.0.1', '192.0.2.1', 'fd00::1', 'fe80::1'];
    expect(found(['10.0.0.0/8'], undefined, local)).to.deep.equal(['10.0.0.1', 'fd00::1']);
    expect(found(['10.0.0.0/8', 'fd01::/16'], undefined, local)).to.deep.equal(['10.0.0.1']);
    expect(found(['10.0.0.0/8', '::/0'], undefined, local)).to.deep.equal(['10.0.0.1', 'fd00::1']);
  });
});

describe('agent: CIDRs for one set', () => {
  it('are those that lie in no other, each once', () => {
    expect(
      dropContained(['10.96.0.0/16', '10.0.0.0/8', '10.0.0.0/8', 'fd00:96::/112', 'nonsense', '10.1.2.3/33']),
    ).to.deep.equal(['10.0.0.0/8', 'fd00:96::/112']);
  });

  it('of one family cover nothing of the other', () => {
    expect(dropContained(['::/0', '10.0.0.0/8'])).to.deep.equal(['10.0.0.0/8', '::/0']);
  });

  it('never overlap, and cover what was given', () => {
    const cidr = fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }), fc.constantFrom(8, 16, 24))
      .map(([a, b, length]) =>
        length === 8 ? `1${a}.0.0.0/8` : length === 16 ? `1${a}.${b}.0.0/16` : `1${a}.${b}.7.0/24`,
      );
    fc.assert(
      fc.property(fc.array(cidr), (cidrs) => {
        const kept = dropContained(cidrs);
        const covers = (wide: string, narrow: string) => {
          const [base = '', length] = wide.split('/');
          const octets = Number(length) / 8;
          return (
            Number(narrow.split('/')[1]) >= Number(length) &&
            narrow.split('.').slice(0, octets).join('.') === base.split('.').slice(0, octets).join('.')
          );
        };
        for (const each of cidrs) expect(kept.some((wide) => covers(wide, each))).to.equal(true);
        for (const [index, each] of kept.entries()) {
          expect(kept.some((other, at) => at !== index && covers(other, each))).to.equal(false);
        }
      }),
    );
  });
});
