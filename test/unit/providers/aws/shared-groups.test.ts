import { expect } from 'chai';
import { SharedGroups } from '../../../../providers/aws/observe/shared-groups.ts';
import type { ObservedSecurityGroup } from '../../../../providers/aws/observed.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../../../../providers/aws/tags.ts';
import { CLUSTER_ID } from './support/desired.ts';
import { inventoryWith, readsOf } from './support/fake-account.ts';

const groupOf = (id: string, provider = id, ports: number[] = []): ObservedSecurityGroup => ({
  id,
  name: id,
  vpcId: 'vpc-1',
  ingress: ports.map((port) => ({ protocol: 'tcp', fromPort: port, toPort: port, cidr: '0.0.0.0/0' })),
  tags: { [OWNER_TAGS.stack]: provider },
});

describe('providers/aws/observe/shared-groups', () => {
  let now: number;
  let groups: SharedGroups;
  beforeEach(() => {
    now = 100_000;
    groups = new SharedGroups({ unseenMs: 5_000, ghostsMs: 60_000, now: () => now });
    groups.merge([groupOf('old')], now);
  });
  const ids = () => groups.all.map(({ id }) => id).sort();

  it('are found by provider and VPC', () => {
    expect(groups.of('old', 'vpc-1')?.id).to.equal('old');
    expect(groups.of('old', 'vpc-2')).to.equal(undefined);
    expect(groups.has('old')).to.equal(true);
  });

  it('keep one that was made while others were listed, or so soon before that no listing shows it', () => {
    groups.add(groupOf('soon before'));
    now += 4_000;
    const startedAt = now;
    now += 1_000;
    groups.add(groupOf('meanwhile'));
    now += 30_000;
    groups.merge([groupOf('old')], startedAt);
    expect(ids()).to.deep.equal(['meanwhile', 'old', 'soon before']);
  });

  it('lose one that a later listing shows no more', () => {
    groups.add(groupOf('made'));
    now += 6_000;
    groups.merge([groupOf('old')], now);
    expect(ids()).to.deep.equal(['old']);
  });

  it('do not take one up again that was deleted and is listed still, and do after its time', () => {
    const startedAt = now;
    groups.remove('old');
    groups.merge([groupOf('old')], startedAt);
    expect(ids()).to.deep.equal([]);
    now += 61_000;
    groups.merge([groupOf('old')], now);
    expect(ids()).to.deep.equal(['old']);
  });

  it('keep what was written while others were listed, and take what was listed after', () => {
    const startedAt = now;
    now += 1_000;
    groups.add(groupOf('old', 'old', []));
    groups.merge([groupOf('old', 'old', [22])], startedAt);
    expect(groups.of('old', 'vpc-1')?.ingress).to.deep.equal([]);
    now += 1_000;
    groups.merge([groupOf('old', 'old', [23])], now);
    expect(groups.of('old', 'vpc-1')?.ingress).to.have.length(1);
  });

  it('are not overwritten by a sweep that was listing when one of them was made', async () => {
    const { signal } = new AbortController();
    const { id, name, tags, vpcId } = groupOf('listed', 'one');
    const own = { ...tags, [OWNER_TAGS.cluster]: CLUSTER_ID, [OWNER_TAGS.resource]: SHARED_GROUP };
    const account = {
      loadBalancers: [],
      targetGroups: [],
      securityGroups: [{ GroupId: id, GroupName: name, VpcId: vpcId, tags: own, IpPermissions: [] }],
    };
    let listing = () => {};
    const inventory = inventoryWith({
      ...readsOf(account),
      describeLoadBalancers: () => {
        listing();
        return { LoadBalancers: [] };
      },
    });
    await inventory.ready(signal);
    listing = () => inventory.addSharedGroup(groupOf('made', 'two'));
    await inventory.sweep(signal, () => {});
    expect(inventory.sharedGroups.map((each) => each.id).sort()).to.deep.equal(['listed', 'made']);
  });
});
