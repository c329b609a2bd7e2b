import { expect } from 'chai';
import type { AwsOptions } from '../../../../crds/aws-provider.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubnets } from '../../../../providers/aws/diff/diff-subnets.ts';
import type { ObservedLoadBalancer, ObservedZone } from '../../../../providers/aws/observed.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge } from './support/converge.ts';
import { desiredWith, NETWORK, subnetOf } from './support/desired.ts';

/** A load balancer that stands in these zones, as it is wanted with these options. */
function diff(zones: ObservedZone[], aws: AwsOptions, network = NETWORK) {
  const picture = new AwsPicture(structuredClone(NETWORK));
  converge(picture, desiredWith());
  const found: ObservedLoadBalancer = {
    ...picture.observe('').loadBalancers[0],
    subnets: zones,
  } as ObservedLoadBalancer;
  return diffSubnets(buildModel(desiredWith({ aws })).loadBalancer, found, network);
}

const zone = (index: number, rest: Partial<ObservedZone> = {}): ObservedZone => ({
  subnetId: `subnet-${index}`,
  zone: subnetOf(index).zone,
  addresses: [],
  ...rest,
});

/** Which subnets it gets next. */
function next({ changes }: ReturnType<typeof diff>): string[] | undefined {
  const [change] = changes;
  return change?.call === 'SetSubnets' ? change.mappings.map(({ subnet }) => subnet) : undefined;
}

describe('providers/aws/diff-subnets', () => {
  it('adds zones and takes zones away at once', () => {
    expect(next(diff([zone(0)], { subnets: ['subnet-0', 'subnet-1'] }))).to.deep.equal([
      'subnet-0',
      'subnet-1',
    ]);
    expect(next(diff([zone(0), zone(1)], { subnets: ['subnet-1', 'subnet-2'] }))).to.deep.equal([
      'subnet-1',
      'subnet-2',
    ]);
    expect(next(diff([zone(0), zone(1)], { subnets: ['subnet-1', 'subnet-0'] }))).to.equal(undefined);
  });

  it('takes the old subnet of a zone away before the new one comes', () => {
    const wanted = { subnets: ['subnet-3', 'subnet-1'] };
    expect(next(diff([zone(0), zone(1)], wanted))).to.deep.equal(['subnet-1']);
    expect(next(diff([zone(1)], wanted))).to.deep.equal(['subnet-3', 'subnet-1']);
  });

  it('never takes all of them away', () => {
    expect(next(diff([zone(0), zone(1)], { subnets: ['subnet-3', 'subnet-4'] }))).to.deep.equal(['subnet-0']);
    expect(next(diff([zone(0), zone(1)], { subnets: ['subnet-3'] }))).to.deep.equal(['subnet-1']);
    const last = diff([zone(0)], { subnets: ['subnet-3'] });
    expect(last.changes).to.deep.equal([]);
    expect(last.obstacle).to.include({ reason: 'LastSubnet' });
  });

  it('exchanges elastic IPs, which a subnet keeps for good, in the same way', () => {
    const there = [zone(0, { allocationIds: ['eipalloc-1'] }), zone(1, { allocationIds: ['eipalloc-2'] })];
    const of = (...elasticIPs: string[]) => ({ subnets: ['subnet-0', 'subnet-1'], elasticIPs });
    expect(next(diff(there, of('eipalloc-1', 'eipalloc-2')))).to.equal(undefined);
    expect(next(diff(there, of('eipalloc-1', 'eipalloc-9')))).to.deep.equal(['subnet-0']);
    const unknown = there.map((each) => ({ ...each, allocationIds: [] }));
    expect(next(diff(unknown, of('eipalloc-1', 'eipalloc-2')))).to.equal(undefined);
  });

  it('stays in its VPC, and says so', () => {
    const subnets = NETWORK.subnets.map((subnet) => ({ ...subnet, vpcId: 'vpc-2' }));
    const { changes, obstacle } = diff([zone(0)], {}, { vpcId: undefined, subnets });
    expect(changes).to.deep.equal([]);
    expect(obstacle?.message).to.contain('vpc-1').and.to.contain('vpc-2');
  });

  it('changes the type of addresses alone, where the subnets are right', () => {
    const { changes } = diff([zone(0)], { subnets: ['subnet-0'], ipAddressType: 'dualstack' });
    expect(changes.map(({ call }) => call)).to.deep.equal(['SetIpAddressType']);
  });
});
