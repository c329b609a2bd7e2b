import { expect } from 'chai';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { placeTargets } from '../../../../providers/aws/diff/place-targets.ts';
import { desiredWith, subnetOf } from './support/desired.ts';

const podAt = (address: string) => ({
  protocol: 'TCP' as const,
  port: 80,
  address,
  targetPort: 8080,
  gated: false,
});

function zonesOf(
  mode: 'Pod' | 'NodePort',
  subnets: Parameters<typeof placeTargets>[1],
): (string | undefined)[] {
  const pods = mode === 'Pod' ? ['10.0.0.9', '10.9.0.9', '192.168.7.7'].map(podAt) : [];
  const { targetGroups } = buildModel(desiredWith({ spec: { targets: { mode, drainSeconds: 30 } }, pods }));
  const [group] = targetGroups;
  if (group === undefined) throw new Error('no target group');
  return placeTargets(group, subnets, 'vpc-1').targets.map(({ zone }) => zone);
}

describe('providers/aws/place-targets', () => {
  const network = {
    vpcId: 'vpc-1',
    subnets: [
      subnetOf(0, { cidrs: ['10.0.0.0/24', 'fd00::/64'] }),
      subnetOf(1, { cidrs: ['10.9.0.0/16'], vpcId: 'vpc-2' }),
    ],
  };

  it('has addresses in no subnet of the VPC in all zones, and no others', () => {
    expect(zonesOf('Pod', network)).to.deep.equal([undefined, 'all', 'all']);
  });

  it('leaves nodes as they are', () => {
    expect(zonesOf('NodePort', network)).to.deep.equal([undefined, undefined]);
  });

  it('says nothing where it is not known what subnets there are', () => {
    const unknown = { vpcId: 'vpc-1', subnets: [subnetOf(0)] };
    expect(zonesOf('Pod', unknown)).to.deep.equal([undefined, undefined, undefined]);
    expect(zonesOf('Pod', undefined)).to.deep.equal([undefined, undefined, undefined]);
    expect(zonesOf('Pod', { vpcId: 'vpc-3', subnets: [] })).to.deep.equal([undefined, undefined, undefined]);
  });
});
