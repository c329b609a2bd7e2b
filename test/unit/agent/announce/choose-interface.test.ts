import { expect } from 'chai';
import {
  canonicalAddress,
  chooseInterface,
  type NodeInterface,
} from '../../../../agent/announce/choose-interface.ts';

const NODE: NodeInterface[] = [
  { name: 'eth0', subnets: ['10.89.0.11/24', 'fd00:89::11/64'], defaultRoute: ['IPv4'] },
  { name: 'eth1', subnets: ['198.18.0.11/16'], defaultRoute: [] },
  { name: 'eth1.7', subnets: ['198.18.7.11/24', 'fd00:198::11/64'], defaultRoute: ['IPv6'] },
  { name: 'bond0', subnets: [], defaultRoute: [] },
];

const cases: [string, string, string[], ReturnType<typeof chooseInterface>][] = [
  ['the subnet that holds it', '198.18.9.1', [], { interface: 'eth1', because: 'SubnetHoldsAddress' }],
  ['the narrowest of several', '198.18.7.200', [], { interface: 'eth1.7', because: 'SubnetHoldsAddress' }],
  ['an IPv6 subnet', 'fd00:89::200', [], { interface: 'eth0', because: 'SubnetHoldsAddress' }],
  ['the default route otherwise', '203.0.113.9', [], { interface: 'eth0', because: 'DefaultRoute' }],
  ['the default route of its family', '2001:db8::9', [], { interface: 'eth1.7', because: 'DefaultRoute' }],
  [
    'a configured one, whatever its subnets',
    '203.0.113.9',
    ['bond0'],
    { interface: 'bond0', because: 'Configured' },
  ],
  [
    'the first configured one that is there',
    '203.0.113.9',
    ['eth9', 'eth1'],
    { interface: 'eth1', because: 'Configured' },
  ],
  [
    'of configured ones the one whose subnet holds it',
    '198.18.7.9',
    ['eth0', 'eth1.7'],
    { interface: 'eth1.7', because: 'Configured' },
  ],
  ['none when no configured one is there', '198.18.7.9', ['eth9'], { reason: 'NoSuchInterface' }],
];

describe('choosing the interface for an address', () => {
  for (const [what, address, configured, choice] of cases) {
    it(`${address} goes to ${what}`, () => {
      expect(chooseInterface(address, NODE, configured)).to.deep.equal(choice);
    });
  }

  it('there is none without a subnet that holds it and without a default route of its family', () => {
    const [, eth1] = NODE;

    expect(chooseInterface('2001:db8::9', eth1 === undefined ? [] : [eth1])).to.deep.equal({
      reason: 'NoInterfaceForAddress',
    });
  });

  it('addresses have one spelling', () => {
    expect(canonicalAddress('FD00:0198:0::0200')).to.equal('fd00:198::200');
    expect(canonicalAddress('198.18.0.200')).to.equal('198.18.0.200');
    expect(canonicalAddress('198.18.0.300')).to.equal(undefined);
  });
});
