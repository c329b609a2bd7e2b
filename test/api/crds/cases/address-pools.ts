import { ADDRESS_POOLS } from '../../../../crds/resources.ts';
import type { Case, CaseTable } from './case.ts';
import { selectorCases } from './selectors.ts';

const FORM = 'write a CIDR (192.0.2.0/28) or a range of two addresses without blanks (192.0.2.10-192.0.2.20)';
const HOST_BITS = 'a CIDR starts with the first address of its block';
const FAMILIES = 'a range has two addresses of one family';
const BACKWARDS = 'a range goes from its lowest to its highest address: swap the two';
const UNUSABLE =
  'no Service can be reached at loopback, link-local, multicast, broadcast or unspecified addresses';
const CIDR_OVERLAP =
  'CIDRs and ranges of a pool must not overlap: a CIDR holds another entry, or an end of a range';
const RANGE_OVERLAP = 'ranges of a pool must not overlap: two begin or end with the same address';

function pool(...addresses: string[]): unknown {
  return { addresses };
}

function accepted(...addresses: string[]): Case {
  return { name: addresses.join(', '), spec: pool(...addresses) };
}

function refused(message: string, ...addresses: string[]): Case {
  return { name: addresses.join(', '), spec: pool(...addresses), refused: message };
}

export const addressPools: CaseTable = {
  type: ADDRESS_POOLS,
  cases: [
    accepted('192.0.2.0/28'),
    accepted('192.0.2.10/32'),
    accepted('192.0.2.10-192.0.2.20'),
    accepted('192.0.2.10-192.0.2.10'),
    accepted('9.255.255.255-10.0.0.0'),
    accepted('126.255.255.0-126.255.255.255'),
    accepted('10.0.0.0/8'),
    accepted('2001:db8::/120'),
    accepted('2001:db8::10/128'),
    accepted('2001:db8::9-2001:db8::a'),
    accepted('2001:db8::ffff-2001:db8::1:0'),
    accepted('2001:0DB8:0::1-2001:db8::2'),
    accepted('2001:db8:1:2:3:4:5:6-2001:db8:1:2:3:4:5:7'),
    accepted('fd00::1-fd00::ffff'),
    accepted('192.0.2.0/28', '192.0.2.16/28', '192.0.2.32-192.0.2.40', '2001:db8::/64'),

    refused(FORM, 'ten'),
    refused(FORM, '192.0.2.1'),
    refused(FORM, '192.0.2.0/33'),
    refused(FORM, '192.0.2.300/32'),
    refused(FORM, '192.0.2.010/32'),
    refused(FORM, '192.0.2.1 - 192.0.2.9'),
    refused(FORM, '192.0.2.1-9'),
    refused(FORM, '192.0.2.1-192.0.2.5-192.0.2.9'),
    refused(FORM, '192.0.2.0/28-192.0.2.40'),
    refused(FORM, '-192.0.2.1'),
    refused(FORM, '192.0.2.1-'),
    refused(FORM, '::ffff:192.0.2.1/128'),
    refused(FORM, 'fe80::1%eth0-fe80::2%eth0'),
    refused(HOST_BITS, '192.0.2.7/24'),
    refused(HOST_BITS, '2001:db8::1/64'),
    refused(FAMILIES, '192.0.2.1-2001:db8::1'),
    refused(FAMILIES, '2001:db8::1-192.0.2.1'),
    refused(BACKWARDS, '192.0.2.20-192.0.2.10'),
    refused(BACKWARDS, '10.0.0.0-9.255.255.255'),
    refused(BACKWARDS, '200.0.0.0-100.0.0.0'),
    refused(BACKWARDS, '2001:db8::a-2001:db8::9'),
    refused(BACKWARDS, '2001:db8::1:0-2001:db8::ffff'),
    refused(BACKWARDS, 'fd00::1-2001:db8::1'),

    refused(UNUSABLE, '127.0.0.0/8'),
    refused(UNUSABLE, '127.0.0.1/32'),
    refused(UNUSABLE, '0.0.0.0/0'),
    refused(UNUSABLE, '0.0.0.0/32'),
    refused(UNUSABLE, '169.254.10.0/24'),
    refused(UNUSABLE, '224.0.0.0/24'),
    refused(UNUSABLE, '255.255.255.255/32'),
    refused(UNUSABLE, '::/0'),
    refused(UNUSABLE, '::1/128'),
    refused(UNUSABLE, 'fe80::/64'),
    refused(UNUSABLE, 'ff02::/16'),
    refused(UNUSABLE, '127.0.0.1-127.0.0.9'),
    refused(UNUSABLE, '126.0.0.1-127.0.0.1'),
    refused(UNUSABLE, '126.0.0.1-128.0.0.1'),
    refused(UNUSABLE, '169.253.0.1-169.255.0.1'),
    refused(UNUSABLE, '223.255.255.1-240.0.0.1'),
    refused(UNUSABLE, '255.255.255.250-255.255.255.255'),
    refused(UNUSABLE, 'fe7f::1-fec0::1'),
    refused(UNUSABLE, '::2-::9'),
    refused(UNUSABLE, 'fd00::1-ff02::1'),

    refused('name each CIDR or range once: one is there twice', '192.0.2.0/28', '192.0.2.0/28'),
    refused(CIDR_OVERLAP, '192.0.2.0/24', '192.0.2.16/28'),
    refused(CIDR_OVERLAP, '192.0.2.16/28', '192.0.2.0/24'),
    refused(CIDR_OVERLAP, '2001:db8::/64', '2001:db8::/120'),
    refused(CIDR_OVERLAP, '192.0.2.0/28', '192.0.2.10-192.0.2.20'),
    refused(CIDR_OVERLAP, '192.0.1.250-192.0.2.3', '192.0.2.0/28'),
    refused(RANGE_OVERLAP, '192.0.2.10-192.0.2.20', '192.0.2.20-192.0.2.30'),
    refused(RANGE_OVERLAP, '192.0.2.10-192.0.2.20', '192.0.2.10-192.0.2.15'),

    { name: 'no address at all', spec: { addresses: [] }, refused: 'should have at least 1 items' },
    { name: 'no addresses', spec: {}, refused: 'spec.addresses: Required value' },
    {
      name: '64 entries, each a long range',
      spec: pool(...Array.from({ length: 64 }, (_, n) => longRange(n))),
    },
    {
      name: '65 entries',
      spec: pool(...Array.from({ length: 65 }, (_, n) => `10.0.${n}.0/24`)),
      refused: 'must have at most 64 items',
    },
    { name: 'providers', spec: { addresses: ['192.0.2.0/28'], providers: ['lab', 'office'] } },
    {
      name: 'a provider twice',
      spec: { addresses: ['192.0.2.0/28'], providers: ['lab', 'lab'] },
      refused: 'name each provider once: one is there twice',
    },
    {
      name: 'a priority that is too high',
      spec: { addresses: ['192.0.2.0/28'], priority: 1001 },
      refused: 'should be less than or equal to 1000',
    },
    {
      name: 'a pool whose addresses are changed',
      spec: pool('192.0.2.0/28'),
      update: pool('192.0.2.16/28', '2001:db8::/120'),
    },
    ...selectorCases('a namespaceSelector', (selector) => ({
      addresses: ['192.0.2.0/28'],
      namespaceSelector: selector,
    })),
    ...selectorCases('a serviceSelector', (selector) => ({
      addresses: ['192.0.2.0/28'],
      serviceSelector: selector,
    })),
  ],
};

/** As many characters and as many compared bits as there can be: the dearest entry for the API server. */
function longRange(n: number): string {
  const prefix = `2001:0db8:1000:2000:3000:4000:5${n.toString(16).padStart(3, '0')}`;
  return `${prefix}:1000-${prefix}:1001`;
}
