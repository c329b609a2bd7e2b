import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { planModel } from '../../../../providers/aws/diff/diff-model.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import { CLUSTER_ID, desiredWith } from './support/desired.ts';
import { inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
const ARN = 'arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/by-hand/1';

/** An account with a load balancer that somebody made, with these tags. */
function start(tags: Record<string, string>) {
  const live = new LiveAccount({
    loadBalancers: [
      {
        LoadBalancerArn: ARN,
        LoadBalancerName: 'by-hand',
        Type: 'network',
        Scheme: 'internet-facing',
        IpAddressType: 'ipv4',
        State: { Code: 'active' },
        VpcId: 'vpc-1',
        DNSName: 'by-hand.example',
        SecurityGroups: [],
        AvailabilityZones: [{ SubnetId: 'subnet-0', ZoneName: 'eu-central-1a' }],
        tags,
        listeners: [],
      },
    ],
    targetGroups: [],
    securityGroups: [{ GroupId: NODES, GroupName: 'nodes', VpcId: 'vpc-1', tags: {}, IpPermissions: [] }],
  });
  const inventory = inventoryWith(live.handlers);
  let confirmed: string | undefined;
  const plan = async () => {
    const desired = desiredWith({
      aws: { adopt: { arn: ARN, ...(confirmed === undefined ? {} : { confirmed }) } },
    });
    return {
      desired,
      plan: planModel(buildModel(desired), await observeSubject(inventory, desired, undefined, signal)),
    };
  };
  /** What the condition tells. */
  const ask = async () => {
    const { plan: asked } = await plan();
    if (asked.kind !== 'refused') throw new Error('it changes something without asking');
    return asked.finding;
  };
  const confirm = async () => {
    confirmed = /"([0-9a-f]{12})"/.exec((await ask()).message)?.[1];
  };
  /** Answers why it failed; undefined: it didn't. */
  const carryOut = async () => {
    const { desired, plan: planned } = await plan();
    if (planned.kind !== 'changes') throw new Error(planned.finding.message);
    const config = desired.provider.spec.aws ?? { region: 'eu-central-1' };
    try {
      for (const change of planned.changes)
        await applyChange(change, { inventory, subject: desired, config, signal });
    } catch (error) {
      return error;
    }
    return undefined;
  };
  return { ask, carryOut, confirm, live, tags: () => live.tagsOf(ARN) ?? {} };
}

describe('providers/aws: a load balancer that is to be adopted', () => {
  const ofAnother = [
    { [OWNER_TAGS.cluster]: 'c-2', [OWNER_TAGS.stack]: 'shop/web.nlb' },
    { [OWNER_TAGS.cluster]: CLUSTER_ID, [OWNER_TAGS.stack]: 'shop/api.nlb' },
  ];

  it('is left to another cluster or Service that took it since it was read', async () => {
    for (const owner of ofAnother) {
      const { ask, carryOut, confirm, live, tags } = start({ theirs: 'yes' });
      await confirm();
      Object.assign(tags(), owner);
      expect(await carryOut()).to.include({ reason: 'AdoptableOwned', class: 'Transient' });
      expect(tags()).to.deep.equal({ theirs: 'yes', ...owner });
      expect(live.writes).to.deep.equal([]);
      expect(await ask()).to.include({ reason: 'AdoptableOwned' });
    }
  });

  it('is taken, with what it got for tags meanwhile, when it is nobody else, or has some tags of ours still', async () => {
    for (const left of [{}, { [OWNER_TAGS.cluster]: CLUSTER_ID }, { [OWNER_TAGS.stack]: 'shop/web.nlb' }]) {
      const { carryOut, confirm, tags } = start({ ...left });
      await confirm();
      Object.assign(tags(), { team: 'theirs' });
      expect(await carryOut()).to.equal(undefined);
      expect(tags()).to.include({ team: 'theirs', [OWNER_TAGS.cluster]: CLUSTER_ID });
      expect(tags()).to.include({ [OWNER_TAGS.stack]: 'shop/web.nlb', [OWNER_TAGS.adopted]: 'true' });
    }
  });
});
