import { expect } from 'chai';
import type { AwsOptions } from '../../../../crds/aws-provider.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { resolveSubnets } from '../../../../providers/aws/diff/resolve-subnets.ts';
import type { ObservedSubnet } from '../../../../providers/aws/observed.ts';
import { type DesiredOptions, desiredWith, subnetOf } from './support/desired.ts';

interface Case extends DesiredOptions {
  subnets: ObservedSubnet[];
  /** Where it is already. */
  present?: string[];
}

function resolve({ present = [], subnets, ...options }: Case) {
  const { loadBalancer } = buildModel(desiredWith(options));
  const zones = present.map((subnetId) => ({ subnetId, zone: '', addresses: [] }));
  return resolveSubnets(loadBalancer, { vpcId: undefined, subnets }, zones);
}

function ids(of: Case): string[] {
  const resolved = resolve(of);
  if (resolved.kind === 'refused') throw new Error(resolved.message);
  return resolved.mappings.map(({ subnet }) => subnet);
}

const tagged = (index: number, rest: Partial<ObservedSubnet> = {}) => subnetOf(index, rest);
const OWN = { 'kubernetes.io/role/elb': '1', 'kubernetes.io/cluster/prod': 'shared' };

describe('providers/aws/resolve-subnets', () => {
  it('takes one a zone of those that are tagged for the scheme', () => {
    const subnets = [
      tagged(4),
      tagged(3),
      tagged(1),
      tagged(0),
      tagged(2, { tags: { 'kubernetes.io/role/internal-elb': '' } }),
    ];
    expect(ids({ subnets })).to.deep.equal(['subnet-0', 'subnet-1']);
    expect(ids({ subnets, spec: { scheme: 'Internal' } })).to.deep.equal([
      'subnet-0',
      'subnet-1',
      'subnet-2',
    ]);
  });

  it("prefers the cluster's within a zone, and where it is already before all others", () => {
    const subnets = [tagged(0), tagged(1), tagged(3, { tags: OWN })];
    const provider = { clusterName: 'prod' };
    expect(ids({ subnets, provider })).to.deep.equal(['subnet-3', 'subnet-1']);
    expect(ids({ subnets, provider, present: ['subnet-0'] })).to.deep.equal(['subnet-0', 'subnet-1']);
  });

  it("keeps to one VPC: the provider's, or that of the cluster's subnets", () => {
    const subnets = [tagged(0), tagged(1, { vpcId: 'vpc-2' }), tagged(2, { vpcId: 'vpc-2', tags: OWN })];
    expect(resolve({ subnets })).to.deep.include({ kind: 'refused', reason: 'AmbiguousVPC' });
    expect(ids({ subnets, provider: { vpcID: 'vpc-1' } })).to.deep.equal(['subnet-0']);
    expect(ids({ subnets, provider: { clusterName: 'prod' } })).to.deep.equal(['subnet-1', 'subnet-2']);
  });

  it('finds given ones by id or name, in their order', () => {
    const subnets = [
      tagged(0),
      tagged(1, { name: 'inner' }),
      tagged(2, { name: 'twice' }),
      tagged(3, { name: 'twice' }),
    ];
    expect(ids({ subnets, aws: { subnets: ['inner', 'subnet-0'] } })).to.deep.equal(['subnet-1', 'subnet-0']);
    expect(resolve({ subnets, aws: { subnets: ['twice'] } })).to.deep.include({ reason: 'AmbiguousSubnet' });
    expect(resolve({ subnets, aws: { subnets: ['subnet-0', 'subnet-3'] } })).to.deep.include({
      reason: 'SubnetsInOneZone',
    });
  });

  it('refuses in words that a person can act on', () => {
    const full = [tagged(0), tagged(1, { availableAddresses: 3, hasIPv6: false })];
    const told = (of: Case) => {
      const resolved = resolve(of);
      return resolved.kind === 'refused' ? `${resolved.reason}: ${resolved.message}` : undefined;
    };
    expect(told({ subnets: full })).to.contain(
      'SubnetFull: Subnet subnet-1 has 3 free addresses, 8 are needed',
    );
    expect(told({ subnets: full, present: ['subnet-1'] })).to.equal(undefined);
    expect(
      told({ subnets: [tagged(1, { hasIPv6: false })], aws: { ipAddressType: 'dualstack' } }),
    ).to.contain('subnet-1 has no IPv6');
    expect(told({ subnets: [tagged(0, { tags: {} })] })).to.contain('kubernetes.io/role/elb');
    expect(told({ subnets: [], aws: { subnets: ['subnet-7'] } })).to.contain('no subnet "subnet-7"');
    expect(told({ subnets: [tagged(0)], aws: { elasticIPs: ['a', 'b'] } })).to.contain(
      '2 elasticIPs are given for 1 subnets',
    );
  });

  it('gives private addresses to the subnets whose ranges they are in, elastic IPs by order', () => {
    const subnets = [
      tagged(0, { cidrs: ['10.0.0.0/24'] }),
      tagged(1, { cidrs: ['10.0.1.0/24', 'fd00:1::/64'] }),
    ];
    const given = (aws: AwsOptions) => resolve({ subnets, aws, spec: { scheme: 'Internal' } });
    const resolved = given({ privateAddresses: ['10.0.1.5', '10.0.0.5'] });
    expect(resolved).to.have.nested.property('mappings[0].privateIPv4Address', '10.0.0.5');
    expect(resolved).to.have.nested.property('mappings[1].privateIPv4Address', '10.0.1.5');
    expect(given({ privateAddresses: ['10.0.9.5', '10.0.0.5'] })).to.deep.include({
      reason: 'AddressOutsideSubnets',
    });
    const elastic = resolve({ subnets, aws: { elasticIPs: ['eipalloc-1', 'eipalloc-2'] } });
    expect(elastic).to.have.nested.property('mappings[1].allocationId', 'eipalloc-2');
  });

  it('needs no free addresses for an internal one whose addresses are given', () => {
    const subnets = [tagged(0, { availableAddresses: 1, cidrs: ['10.0.0.0/24'] })];
    const of = { subnets, spec: { scheme: 'Internal' as const } };
    expect(ids({ ...of, aws: { privateAddresses: ['10.0.0.5'] } })).to.deep.equal(['subnet-0']);
    expect(resolve(of)).to.deep.include({ reason: 'SubnetFull' });
  });
});
