import { expect } from 'chai';
import { validateAws } from '../../../../providers/aws/options/validate-aws.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import { providerWith } from './support/desired.ts';

type Aws = Parameters<typeof providerWith>[0];

const reasons = (aws: Aws, scheme: 'Public' | 'Internal' = 'Public') =>
  validateAws({ ...providerWith(aws).spec, scheme }).map(({ reason }) => reason);

describe('providers/aws/validate-aws', () => {
  it('finds nothing wrong with a region alone, nor with what goes together', () => {
    expect(reasons({})).to.deep.equal([]);
    expect(reasons({ subnets: ['a', 'b'], elasticIPs: ['x', 'y'], tags: { team: 'a' } })).to.deep.equal([]);
    expect(reasons({ subnets: ['a'], privateAddresses: ['10.0.0.9'] }, 'Internal')).to.deep.equal([]);
  });

  it('finds addresses that the scheme has no use for', () => {
    expect(reasons({ elasticIPs: ['x'] }, 'Internal')).to.deep.equal(['ElasticIPsNeedPublic']);
    expect(reasons({ privateAddresses: ['10.0.0.9'] })).to.deep.equal(['PrivateAddressesNeedInternal']);
    expect(reasons({ ipv6Addresses: ['fd00::9'], ipAddressType: 'ipv4' })).to.deep.equal([
      'IPv6AddressesNeedDualstack',
    ]);
  });

  it('finds counts of addresses and subnets that differ', () => {
    expect(reasons({ subnets: ['a', 'b'], elasticIPs: ['x'] })).to.deep.equal(['AddressCountMismatch']);
  });

  it('finds tags that are set by AWS and by us', () => {
    expect(reasons({ tags: { 'aws:x': '1' } })).to.deep.equal(['ReservedTags']);
    expect(reasons({ tags: { [OWNER_TAGS.stack]: 'mine' } })).to.deep.equal(['ReservedTags']);
  });
});
