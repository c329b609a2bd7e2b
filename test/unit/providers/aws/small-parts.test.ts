import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { OPERATIONS } from '../../../../providers/aws/calls/operations.ts';
import { RecentlyMade } from '../../../../providers/aws/calls/recently-made.ts';
import { buildIamPolicy, IAM_ACTIONS } from '../../../../providers/aws/docs/iam-policy.ts';
import { emptyStack } from '../../../../providers/aws/observe/known.ts';
import { Look } from '../../../../providers/aws/observe/look.ts';
import { ownersIn } from '../../../../providers/aws/observe/owners.ts';
import { readPermission } from '../../../../providers/aws/observe/read-answers.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';

describe('providers/aws/look', () => {
  it('comes later with each look, up to the most that is asked for', () => {
    let now = 0;
    const look = new Look({ soon: false, now: () => now });
    const pauses: number[] = [];
    for (let time = 0; time < 6; time++) {
      pauses.push(look.seconds);
      expect(look.isDue).to.equal(false);
      now += look.seconds * 1000;
      expect(look.isDue).to.equal(true);
      look.asked(30);
    }
    expect(pauses).to.deep.equal([5, 5, 10, 20, 30, 30]);
    look.restart();
    expect(look.seconds).to.equal(5);
  });
});

describe('providers/aws/recently-made', () => {
  it('knows what was made for a minute, wherever its id stands', () => {
    let now = 0;
    const recent = new RecentlyMade(() => now);
    recent.add({ TargetGroups: [{ TargetGroupArn: 'arn:aws:tg/1', Port: 80 }] });
    recent.add({ GroupId: 'sg-1' });
    expect(recent.hasAnyOf({ DefaultActions: [{ TargetGroupArn: 'arn:aws:tg/1' }] })).to.equal(true);
    expect(recent.hasAnyOf({ SecurityGroups: ['sg-1'] })).to.equal(true);
    expect(recent.hasAnyOf({ SecurityGroups: ['sg-2'], Port: 80 })).to.equal(false);
    now = 60_001;
    expect(recent.hasAnyOf({ SecurityGroups: ['sg-1'] })).to.equal(false);
  });
});

describe('providers/aws/owners', () => {
  it('finds by tags who has something, and what is shared and left over by the name of its stack', () => {
    const tags = (member: string, uid: string) => ({
      [OWNER_TAGS.member]: member,
      [OWNER_TAGS.serviceUid]: uid,
    });
    const group = (member: string, uid: string) => ({ member, tags: tags(member, uid) });
    const full = emptyStack('shop/web.nlb');
    Object.assign(full, { targetGroups: [group('shop/web.nlb', 'u1'), group('shop/web.nlb', 'u1')] });
    const left = emptyStack('shop/front.nlb:shared');
    Object.assign(left, { loadBalancers: [{ listeners: [], tags: { [OWNER_TAGS.serviceUid]: 'u2' } }] });
    expect(ownersIn([full, left], 'c')).to.deep.equal([
      { clusterId: 'c', namespace: 'shop', name: 'web.nlb', serviceUid: 'u1' },
      { clusterId: 'c', namespace: 'shop', name: 'front.nlb:shared', serviceUid: 'u2' },
    ]);
  });
});

describe('providers/aws/read-answers', () => {
  it('tells each source of a rule alone, groups and prefix lists among them', () => {
    const rules = readPermission({
      IpProtocol: 'tcp',
      FromPort: 80,
      ToPort: 81,
      IpRanges: [{ CidrIp: '10.0.0.0/8' }],
      Ipv6Ranges: [{ CidrIpv6: '::/0' }],
      UserIdGroupPairs: [{ GroupId: 'sg-1' }],
      PrefixListIds: [{ PrefixListId: 'pl-1' }],
    });
    expect(rules.map(({ cidr }) => cidr)).to.deep.equal(['10.0.0.0/8', '::/0', 'sg-1', 'pl-1']);
    expect(rules.every(({ fromPort, toPort }) => fromPort === 80 && toPort === 81)).to.equal(true);
  });
});

describe('providers/aws/iam-policy', () => {
  it('allows each operation that is called, what AWS reads in turn, and no other', () => {
    const called = Object.entries(OPERATIONS).map(([name, { service }]) => `${service}:${name}`);
    expect([...IAM_ACTIONS].sort()).to.deep.equal(called.sort());
    const { Statement } = buildIamPolicy();
    const inTurn = Statement.find(({ Sid }) => Sid === 'ReadByAws')?.Action ?? [];
    expect(inTurn.filter((action) => !/^ec2:(Describe|Get)/.test(action))).to.deep.equal([]);
    const allowed = Statement.flatMap(({ Action }) => Action);
    expect([...new Set(allowed)].sort()).to.deep.equal([...IAM_ACTIONS, ...inTurn].sort());
  });

  it('stands in the docs as it is (node providers/aws/docs/write-iam-docs.ts)', () => {
    const docs = readFileSync(new URL('../../../../docs/providers/aws.md', import.meta.url), 'utf8');
    expect(docs).to.contain(JSON.stringify(buildIamPolicy(), undefined, 2));
  });

  it('lets nothing but reading and rules be done to what lacks our tags', () => {
    for (const { Action, Condition, Sid } of buildIamPolicy().Statement) {
      if (Condition !== undefined) continue;
      const rest = Action.filter((action) => !/:(Describe|Get)/.test(action));
      expect(rest, Sid).to.deep.equal(
        Sid.startsWith('Read')
          ? []
          : [
              'ec2:AuthorizeSecurityGroupIngress',
              'ec2:CreateSecurityGroup',
              'ec2:RevokeSecurityGroupIngress',
            ],
      );
    }
  });
});
