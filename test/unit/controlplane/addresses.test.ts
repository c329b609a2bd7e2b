import { expect } from 'chai';
import { firstServiceAddresses, hostPort, isLoopback } from '../../controlplane/addresses.ts';

describe('controlplane/addresses', () => {
  it('finds the address of the kubernetes Service in each family', () => {
    expect(firstServiceAddresses('10.96.0.0/16,fd00:96::/112')).to.deep.equal(['10.96.0.1', 'fd00:96::1']);
  });

  it('takes the network of a CIDR that is written with a host address', () => {
    expect(firstServiceAddresses('10.96.7.9/16')).to.deep.equal(['10.96.0.1']);
  });

  it('refuses a range of one address', () => {
    expect(() => firstServiceAddresses('10.96.0.1/32')).to.throw('10.96.0.1/32 has no room for a Service');
  });

  it('knows loopback addresses of both families', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1'].map(isLoopback)).to.deep.equal([true, true, true]);
    expect(['10.89.0.1', 'fd00:89::1'].map(isLoopback)).to.deep.equal([false, false]);
  });

  it('puts IPv6 addresses in brackets', () => {
    expect(hostPort('::1', 443)).to.equal('[::1]:443');
    expect(hostPort('10.0.0.1', 443)).to.equal('10.0.0.1:443');
  });
});
