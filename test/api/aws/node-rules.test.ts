import { expect } from 'chai';
import type { DesiredLoadBalancer } from '../../../providers/provider.ts';
import { objects, type PlainObject, text } from '../../peers/aws/plain.ts';
import { addInstances } from '../../peers/aws/seed-network.ts';
import { Account, failureOf } from './support/account.ts';
import { CLUSTER_ID } from './support/fixture.ts';
import { fieldsOf, Turns } from './support/turns.ts';

const OURS = `fairlead.dev/cluster=${CLUSTER_ID}`;

describe('aws: rules of nodes, and the group that they let in', function () {
  this.timeout(120_000);
  let account: Account;
  let turns: Turns;
  let desired: DesiredLoadBalancer[] = [];
  /** Groups of nodes, by id. */
  const made: string[] = [];
  before(async () => {
    account = await Account.start();
  });
  after(() => account.peer.stop());
  beforeEach(() => {
    turns = new Turns(account);
    desired = [];
  });
  afterEach(async () => {
    account.peer.heal();
    for (const each of desired) await turns.remove(each);
    for (const GroupId of made) await account.peer.ec2('DeleteSecurityGroup', { GroupId });
    made.length = 0;
    expect(await account.securityGroups()).to.deep.equal([]);
  });

  const serve = async (...parameters: Parameters<Turns['desire']>) => {
    const each = turns.desire(...parameters);
    desired.push(each);
    await turns.settle(each);
    return each;
  };

  const groups = async () => objects((await account.peer.ec2('DescribeSecurityGroups')).securityGroupInfo);
  const findGroup = async (name: RegExp) => {
    const found = (await groups()).find(({ groupName }) => name.test(text(groupName)));
    return text(found?.groupId);
  };
  /** `<protocol> <from>-<to> <who>`, of one group. */
  const rulesOf = async (id: string) => {
    const group = (await groups()).find(({ groupId }) => text(groupId) === id);
    return objects(group?.ipPermissions).flatMap((each) => {
      const sources = [
        ...objects(each.ipRanges).map(({ cidrIp }) => text(cidrIp)),
        ...objects(each.groups).map(({ groupId }) => text(groupId)),
      ];
      return sources.map(
        (who) => `${text(each.ipProtocol)} ${text(each.fromPort)}-${text(each.toPort)} ${who}`,
      );
    });
  };
  const rule = (from: number, to: number, source: PlainObject) => [
    { IpProtocol: 'tcp', FromPort: String(from), ToPort: String(to), ...source },
  ];
  const ofShared = (id: string, Description = OURS) => ({ Groups: [{ GroupId: id, Description }] });
  const authorize = (GroupId: string, IpPermissions: PlainObject[]) =>
    account.peer.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions });
  const revoke = (GroupId: string, IpPermissions: PlainObject[]) =>
    account.peer.ec2('RevokeSecurityGroupIngress', { GroupId, IpPermissions });
  /** Attached to an instance beside or in the place of what it has. */
  const attach = (InstanceId: string, ...GroupId: string[]) =>
    account.peer.ec2('ModifyInstanceAttribute', { InstanceId, GroupId });
  const makeGroup = async (GroupName: string) => {
    const answer = await account.peer.ec2('CreateSecurityGroup', {
      GroupName,
      GroupDescription: 'nodes',
      VpcId: account.network.vpcId,
    });
    const id = text(answer.groupId);
    made.push(id);
    return id;
  };

  it('find whom somebody let in by the shared group, and shut them out again', async () => {
    const web = await serve('open', 30100);
    const shared = await findGroup(/^fairlead-shared/);
    await authorize(shared, rule(22, 22, { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }));

    await turns.look();

    const changes = await turns.plan(web, turns.provider.build(web));
    expect(fieldsOf(changes)).to.deep.equal(['shared.ingress: expected (none), found 0.0.0.0/0 to tcp 22']);
    await turns.turn(web);
    expect(await rulesOf(shared)).to.deep.equal([]);
    await turns.look();
    expect(await turns.plan(web)).to.deep.equal([]);
  });

  it('find a rule of ours that somebody widened, and leave those of others', async () => {
    const { securityGroupId } = account.network;
    const web = await serve('wide', 30100);
    await turns.look();
    const shared = await findGroup(/^fairlead-shared/);
    await revoke(securityGroupId, rule(30100, 30100, ofShared(shared)));
    await authorize(securityGroupId, rule(30000, 32000, ofShared(shared)));
    await authorize(securityGroupId, rule(22, 22, ofShared(shared, "somebody else's")));
    await authorize(securityGroupId, rule(23, 23, { IpRanges: [{ CidrIp: '10.0.0.0/8' }] }));

    await turns.look();

    const changes = await turns.plan(web, turns.provider.build(web));
    expect(fieldsOf(changes)).to.deep.equal([
      `nodes.${securityGroupId}.ingress: expected (none), found tcp 30000-32000`,
    ]);
    await turns.turn(web);
    expect(await rulesOf(securityGroupId)).to.have.members([
      `tcp 10256-10256 ${shared}`,
      `tcp 30100-30100 ${shared}`,
      `tcp 22-22 ${shared}`,
      'tcp 23-23 10.0.0.0/8',
    ]);
    await turns.look();
    expect(await turns.plan(web)).to.deep.equal([]);
    await revoke(securityGroupId, rule(22, 22, ofShared(shared, "somebody else's")));
    await revoke(securityGroupId, rule(23, 23, { IpRanges: [{ CidrIp: '10.0.0.0/8' }] }));
  });

  it('count a rule that somebody else made to the same, and find one of ours that is gone', async () => {
    const { securityGroupId } = account.network;
    const web = await serve('gone', 30100);
    const shared = await findGroup(/^fairlead-shared/);
    await revoke(securityGroupId, rule(30100, 30100, ofShared(shared)));
    await turns.look();
    expect(fieldsOf(await turns.plan(web))).to.deep.equal([
      'ports: expected tcp 10256, tcp 30100, found tcp 10256',
    ]);

    await authorize(securityGroupId, rule(30100, 30100, ofShared(shared, 'by hand')));
    await turns.look();
    await turns.turn(web);

    expect(await turns.plan(web)).to.deep.equal([]);
    expect(await rulesOf(securityGroupId)).to.have.members([
      `tcp 10256-10256 ${shared}`,
      `tcp 30100-30100 ${shared}`,
    ]);
    await revoke(securityGroupId, rule(30100, 30100, ofShared(shared, 'by hand')));
  });

  it('come with a node of another security group, in the turn that registers it', async () => {
    const [first, second] = [await serve('one', 30100), await serve('two', 30102)];
    const shared = await findGroup(/^fairlead-shared/);
    const [instance] = await addInstances(account.peer, account.network, 1);
    if (instance === undefined) throw new Error('there is one');
    const group = await makeGroup('other-nodes');
    await attach(instance.id, group);
    account.peer.calls.reset();

    const all = [...account.network.instances, instance];
    for (const each of [first, second]) {
      const { nodePort = 0 } = each.spec.frontends?.[0] ?? {};
      const grown = turns.desire(each.spec.service.name, nodePort, {}, all);
      const changes = await turns.turn(grown);
      expect(changes.map(({ call }) => call)).to.include('RegisterTargets');
      expect(await turns.plan(grown)).to.deep.equal([]);
    }

    expect((await rulesOf(group)).sort()).to.deep.equal([
      `tcp 10256-10256 ${shared}`,
      `tcp 30100-30100 ${shared}`,
      `tcp 30102-30102 ${shared}`,
    ]);
    // Whatever the number of load balancers that it joins.
    const asked = account.peer.calls.byOperation({ operation: /^Describe(?!TargetHealth)/ });
    expect(asked.DescribeInstances).to.equal(1);
    expect(asked.DescribeSecurityGroups).to.equal(1);
    await account.peer.ec2('TerminateInstances', { InstanceId: [instance.id] });
  });

  it('ask nothing more for a node that joins many load balancers', async () => {
    const all = account.network.instances;
    const services = await Promise.all(
      [0, 1, 2].map((at) => serve(`joins-${at}`, 30110 + 2 * at, {}, all.slice(0, 1))),
    );
    account.peer.calls.reset();

    await Promise.all(
      services.map(({ spec }, at) => turns.turn(turns.desire(spec.service.name, 30110 + 2 * at, {}, all))),
    );

    const calls = account.peer.calls.byOperation();
    expect(calls).to.deep.include({ RegisterTargets: 3 });
    expect(calls.DescribeInstances ?? 0).to.be.at.most(1);
    expect(calls).to.not.have.any.keys('AuthorizeSecurityGroupIngress', 'DescribeSecurityGroups');
  });

  it('tell the Service whose nodes have several groups, and stop no other look', async () => {
    const [mine, other] = account.network.instances;
    if (mine === undefined || other === undefined) throw new Error('there are two');
    const good = await serve('good', 30100, {}, [mine]);
    const bad = await serve('bad', 30102, {}, [other]);
    const group = await makeGroup('second');
    await account.peer.ec2('CreateTags', {
      ResourceId: [group],
      Tag: [{ Key: `kubernetes.io/cluster/${account.network.cluster}`, Value: 'shared' }],
    });
    await attach(other.id, account.network.securityGroupId, group);
    const shared = await findGroup(/^fairlead-shared/);
    await revoke(account.network.securityGroupId, rule(30100, 30100, ofShared(shared)));

    await turns.look();

    expect(fieldsOf(await turns.plan(good))).to.deep.equal([
      'ports: expected tcp 10256, tcp 30100, found tcp 10256',
    ]);
    await turns.turn(good);
    expect(await rulesOf(account.network.securityGroupId)).to.include(`tcp 30100-30100 ${shared}`);
    expect(fieldsOf(await turns.plan(bad)).join()).to.match(
      /nodes: expected .*found .*several security groups/,
    );
    expect(await failureOf(turns.turn(bad))).to.have.property('reason', 'NodeSecurityGroupUnclear');

    await attach(other.id, account.network.securityGroupId);
    await turns.settle(bad);
    await turns.look();
    expect(await turns.plan(bad)).to.deep.equal([]);
  });

  it("are nobody's matter where they are not managed, whatever groups nodes have", async () => {
    const [mine, other] = account.network.instances;
    if (mine === undefined || other === undefined) throw new Error('there are two');
    const unmanaged = await serve('unmanaged', 30104, { aws: { manageBackendRules: false } }, [other]);
    await attach(other.id, account.network.securityGroupId, await makeGroup('third'));
    const managed = await serve('managed', 30106, {}, [mine]);
    account.peer.calls.reset();

    await turns.look();

    expect(await turns.plan(unmanaged)).to.deep.equal([]);
    expect(await turns.plan(managed)).to.deep.equal([]);
    await attach(other.id, account.network.securityGroupId);
  });
});
