import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { covers } from '../../../../providers/aws/apply/merge-ports.ts';
import { verifyNodeRules } from '../../../../providers/aws/apply/verify-node-rules.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge } from './support/converge.ts';
import { desiredWith, NETWORK, nodeOf } from './support/desired.ts';
import { inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;

/** TCP 80 and so on, over these node ports. */
const over = (...nodePorts: number[]) =>
  desiredWith({
    spec: {
      frontends: nodePorts.map((nodePort, index) => ({ protocol: 'TCP', port: 80 + index, nodePort })),
    },
  });

/** An account whose instances have `groups`, and whose groups have room for `room` rules. */
function start() {
  const nodes = (GroupId: string) => ({ GroupId, GroupName: GroupId, VpcId: 'vpc-1', tags: {} });
  const securityGroups = [
    { ...nodes(NODES), IpPermissions: [] },
    { ...nodes('sg-second'), IpPermissions: [] },
  ];
  const live = new LiveAccount({ loadBalancers: [], targetGroups: [], securityGroups });
  const settings = { groups: [NODES], room: 60 };
  const rulesOf = (id: string | undefined) =>
    live.account.securityGroups.find(({ GroupId }) => GroupId === id)?.IpPermissions ?? [];
  const inventory = inventoryWith({
    ...live.handlers,
    describeInstances: ({ Filters = [] }) => {
      const SecurityGroups = settings.groups.map((GroupId) => ({ GroupId }));
      const Instances = (Filters[0]?.Values ?? []).map((InstanceId) => ({ InstanceId, SecurityGroups }));
      return { Reservations: [{ Instances }] };
    },
    authorizeSecurityGroupIngress: (input) => {
      const { GroupId, IpPermissions = [] } = input;
      if (GroupId !== NODES || rulesOf(NODES).length + IpPermissions.length <= settings.room)
        return live.handlers.authorizeSecurityGroupIngress?.(input);
      throw Object.assign(new Error('no room'), {
        name: 'RulesPerSecurityGroupLimitExceeded',
        $fault: 'client',
        $metadata: { httpStatusCode: 400 },
      });
    },
  });
  const turn = async (desired: DesiredLoadBalancer) => {
    const config = desired.provider.spec.aws ?? { region: 'eu-central-1' };
    const observed = await observeSubject(inventory, desired, undefined, signal);
    const changes = diffSubject(buildModel(desired), observed);
    for (const change of changes) await applyChange(change, { inventory, subject: desired, config, signal });
    return changes.length;
  };
  /** Why a turn failed. */
  const failTurn = (desired: DesiredLoadBalancer) =>
    turn(desired).then(
      () => undefined,
      (error: unknown) => error,
    );
  const look = () => {
    inventory.groupsOfTargets.clear();
    return verifyNodeRules(
      inventory,
      'nlb',
      { region: 'eu-central-1' },
      { turn: '', inBackground: false, signal },
    );
  };
  const ports = () =>
    rulesOf(NODES)
      .map(({ FromPort }) => FromPort)
      .sort();
  /** Ports of nodes that traffic goes to. */
  const served = () => {
    const [loadBalancer] = live.account.loadBalancers;
    return (loadBalancer?.listeners ?? []).map(({ DefaultActions: [action] = [] }) => {
      const arn = action?.TargetGroupArn;
      return live.account.targetGroups.find(({ TargetGroupArn }) => TargetGroupArn === arn)?.Port;
    });
  };
  return { failTurn, look, ports, served, settings, turn };
}

describe('providers/aws: ports of nodes that change', () => {
  it('are let in before anything leads there, and the former ones as long as anything does', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    converge(aws, over(30_080, 30_081));
    const isLetIn = (port: string | number) =>
      covers(aws.backendPorts ?? [], [{ protocol: 'tcp', fromPort: Number(port), toPort: Number(port) }]);
    const expectLetIn = () => {
      for (const { targetGroupArn } of aws.loadBalancers[0]?.listeners ?? []) {
        const group = aws.targetGroups.find(({ arn }) => arn === targetGroupArn);
        expect(isLetIn(group?.port ?? 0), `nodes let in ${group?.port}`).to.equal(true);
        expect(isLetIn(group?.healthCheck.port ?? 0), 'nodes let health checks in').to.equal(true);
      }
    };
    const other = over(30_090, 30_081);
    for (const desired of [
      other,
      { ...other, spec: { ...other.spec, aws: { healthCheck: { port: '9000' } } } },
    ])
      converge(aws, desired, { after: expectLetIn });
    expect(aws.backendPorts?.map(({ fromPort }) => fromPort)).to.deep.equal([9000, 30_081, 30_090]);
  });

  it('leave what is served where it is as long as it can not be told which group gets their rules', async () => {
    const { failTurn, ports, served, settings, turn } = start();
    await turn(over(30_080));
    settings.groups = [NODES, 'sg-second'];
    const joined = { ...over(31_999), nodes: [nodeOf(1), nodeOf(2), nodeOf(3)] };
    expect(await failTurn(joined)).to.have.property('reason', 'NodeSecurityGroupUnclear');
    expect(served()).to.deep.equal([30_080]);
    expect(ports()).to.deep.equal([10_256, 30_080]);
    settings.groups = [NODES];
    await turn(joined);
    expect(served()).to.deep.equal([31_999]);
    expect(ports()).to.deep.equal([10_256, 31_999]);
    expect(await turn(joined)).to.equal(0);
  });

  it('take the place of the former ones where there is no room for both', async () => {
    const { ports, served, settings, turn } = start();
    await turn(over(30_080));
    settings.room = 2;
    await turn(over(31_999));
    expect(served()).to.deep.equal([31_999]);
    expect(ports()).to.deep.equal([10_256, 31_999]);
    expect(await turn(over(31_999))).to.equal(0);
  });

  it('leave the former ones let in, and served, where there is no room even so', async () => {
    const { failTurn, ports, served, settings, turn } = start();
    await turn(over(30_080));
    settings.room = 2;
    const failure = await failTurn(over(31_000, 31_999));
    expect(failure).to.have.property('reason', 'RulesPerSecurityGroupLimitExceeded');
    expect(served()).to.deep.equal([30_080]);
    expect(ports()).to.deep.equal([10_256, 30_080]);
  });

  it('are shut when nobody manages them any more, whatever groups nodes have by then', async () => {
    const { aws: own, ...rest } = over(30_080).spec;
    const given = { ...own, securityGroups: [NODES] };
    for (const aws of [{ ...own, manageBackendRules: false }, given]) {
      const { failTurn, look, ports, served, settings, turn } = start();
      await turn(over(30_080));
      settings.groups = [NODES, 'sg-second'];
      const joined = [nodeOf(1), nodeOf(2), nodeOf(3)];
      for (const seen of [false, true]) {
        if (seen) await look();
        const failure = await failTurn({ ...over(30_080), nodes: joined });
        expect(failure).to.have.property('reason', 'NodeSecurityGroupUnclear');
        expect(ports()).to.deep.equal([10_256, 30_080]);
      }
      const unmanaged = { ...over(30_080), spec: { ...rest, aws }, nodes: joined };
      await turn(unmanaged);
      expect(await turn(unmanaged)).to.equal(0);
      expect(served()).to.deep.equal([30_080]);
      expect(ports()).to.deep.equal([]);
    }
  });
});
