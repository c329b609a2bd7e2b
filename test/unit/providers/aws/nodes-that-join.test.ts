import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { type DesiredOptions, desiredWith, nodeOf } from './support/desired.ts';
import { type Handlers, inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
/** Of the node that joins. */
const OTHER = 'sg-of-another';

const groupOf = (GroupId: string) => ({
  GroupId,
  GroupName: GroupId,
  VpcId: 'vpc-1',
  tags: {},
  IpPermissions: [],
});

/** An account in which instances have these groups; undefined: EC2 doesn't know them. */
function start(groupsOf: Record<string, string | undefined>, more: Handlers = {}) {
  const securityGroups = [groupOf(NODES), groupOf(OTHER)];
  const live = new LiveAccount({ loadBalancers: [], targetGroups: [], securityGroups });
  let asked = 0;
  const inventory = inventoryWith({
    ...live.handlers,
    describeInstances: ({ Filters = [] }) => {
      asked++;
      const Instances = (Filters[0]?.Values ?? []).flatMap((InstanceId) => {
        const GroupId = groupsOf[InstanceId];
        return GroupId === undefined ? [] : [{ InstanceId, SecurityGroups: [{ GroupId }] }];
      });
      return { Reservations: [{ Instances }] };
    },
    describeNetworkInterfaces: () => ({ NetworkInterfaces: [] }),
    ...more,
  });
  const plan = async (desired: DesiredLoadBalancer) => {
    const changes = diffSubject(
      buildModel(desired),
      await observeSubject(inventory, desired, undefined, signal),
    );
    return changes.map(({ call }) => call);
  };
  const turn = async (desired: DesiredLoadBalancer) => {
    const config = desired.provider.spec.aws ?? { region: 'eu-central-1' };
    const observed = await observeSubject(inventory, desired, undefined, signal);
    for (const change of diffSubject(buildModel(desired), observed))
      await applyChange(change, { inventory, subject: desired, config, signal });
  };
  const portsOf = (id: string) =>
    live.account.securityGroups
      .find(({ GroupId }) => GroupId === id)
      ?.IpPermissions?.map(({ FromPort }) => FromPort)
      .sort();
  return { inventory, live, plan, portsOf, timesAsked: () => asked, turn };
}

const withNodes = (...indexes: number[]) => desiredWith({ nodes: indexes.map(nodeOf) });

describe('providers/aws: nodes that join', () => {
  it('are let in by a later turn when their group refused the rules, however often it did', async () => {
    let hasRoom = false;
    const groupsOf = { 'i-01': NODES, 'i-03': OTHER };
    const { live, plan, portsOf, turn } = start(groupsOf, {
      authorizeSecurityGroupIngress: (input) => {
        if (input.GroupId !== OTHER || hasRoom) return live.handlers.authorizeSecurityGroupIngress?.(input);
        throw Object.assign(new Error('no room'), {
          name: 'RulesPerSecurityGroupLimitExceeded',
          $fault: 'client',
          $metadata: { httpStatusCode: 400 },
        });
      },
    });
    await turn(withNodes(1));
    expect(await plan(withNodes(1))).to.deep.equal([]);
    for (let tries = 0; tries < 3; tries++) {
      expect(await plan(withNodes(1, 3))).to.include('SyncBackendRules');
      let failure: unknown;
      await turn(withNodes(1, 3)).catch((error: unknown) => {
        failure = error;
      });
      expect(failure).to.have.property('reason', 'RulesPerSecurityGroupLimitExceeded');
    }
    hasRoom = true;
    await turn(withNodes(1, 3));
    expect(portsOf(OTHER)).to.deep.equal([10_256, 30_080]);
    expect(await plan(withNodes(1, 3))).to.deep.equal([]);
  });

  it('are asked about again until EC2 knows them', async () => {
    const groupsOf: Record<string, string | undefined> = { 'i-01': NODES, 'i-03': undefined };
    const { plan, portsOf, turn } = start(groupsOf);
    await turn(withNodes(1));
    await turn(withNodes(1, 3));
    await turn(withNodes(1, 3));
    expect(await plan(withNodes(1, 3))).to.deep.equal(['SyncBackendRules']);
    groupsOf['i-03'] = OTHER;
    await turn(withNodes(1, 3));
    expect(portsOf(OTHER)).to.deep.equal([10_256, 30_080]);
    expect(await plan(withNodes(1, 3))).to.deep.equal([]);
  });

  it('are given up when EC2 does not know them for a minute', async () => {
    const { inventory, plan, timesAsked, turn } = start({ 'i-01': NODES });
    await turn(withNodes(1));
    await turn(withNodes(1, 3));
    const { joined } = inventory.stack('shop/web.nlb');
    for (const [id, at] of joined) joined.set(id, at - 61_000);
    await turn(withNodes(1, 3));
    const asked = timesAsked();
    expect(await plan(withNodes(1, 3))).to.deep.equal([]);
    expect(timesAsked()).to.equal(asked);
  });

  it('are done with at once where they are pods outside of the VPC, that no node of it lets in', async () => {
    const podsAt = (...addresses: string[]): DesiredOptions => ({
      spec: { frontends: [{ protocol: 'TCP', port: 80 }], targets: { mode: 'Pod', drainSeconds: 30 } },
      nodes: [],
      pods: addresses.map((address) => ({
        protocol: 'TCP',
        port: 80,
        address,
        targetPort: 8080,
        pod: address,
        gated: false,
      })),
    });
    const { plan, turn } = start(
      {},
      {
        describeSubnets: () => ({
          Subnets: ['a', 'b', 'c'].map((zone, at) => ({
            SubnetId: `subnet-${at}`,
            AvailabilityZone: `eu-central-1${zone}`,
            VpcId: 'vpc-1',
            CidrBlock: `10.0.${at}.0/24`,
            AvailableIpAddressCount: 200,
            Tags: [{ Key: 'kubernetes.io/role/elb', Value: '1' }],
          })),
        }),
      },
    );
    const outside = desiredWith(podsAt('192.168.7.7'));
    await turn(outside);
    expect(await plan(outside)).to.deep.equal([]);
    const inside = desiredWith(podsAt('192.168.7.7', '10.0.0.9'));
    await turn(inside);
    expect(await plan(inside)).to.deep.equal(['SyncBackendRules']);
  });
});
