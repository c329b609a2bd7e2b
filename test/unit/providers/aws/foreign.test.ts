import { expect } from 'chai';
import fc from 'fast-check';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import type { AwsChange } from '../../../../providers/aws/changes.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import type { AwsModel } from '../../../../providers/aws/model.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../../../../providers/aws/tags.ts';
import { CLUSTER_ID, desiredWith } from './support/desired.ts';
import { type Account, inventoryOf } from './support/fake-account.ts';

const desired = desiredWith();
const model = buildModel(desired);
const STACK = model.stack;

type Tags = Record<string, string>;

const own = (resource: string): Tags => ({
  [OWNER_TAGS.cluster]: CLUSTER_ID,
  [OWNER_TAGS.stack]: STACK,
  [OWNER_TAGS.member]: model.member,
  [OWNER_TAGS.serviceUid]: 'uid-web',
  [OWNER_TAGS.resource]: resource,
  [OWNER_TAGS.variant]: model.loadBalancer.variant,
});

/** Ours, nearly ours, somebody else's, nobody's. */
const tagsOf = (resource: string): fc.Arbitrary<Tags> =>
  fc.oneof(
    fc.constant(own(resource)),
    fc.constant({ ...own(resource), [OWNER_TAGS.cluster]: 'another-cluster' }),
    fc.constant({
      ...own(resource),
      [OWNER_TAGS.stack]: 'shop/another.nlb',
      [OWNER_TAGS.member]: 'shop/another.nlb',
    }),
    fc.constant({ ...own(resource), [OWNER_TAGS.member]: 'shop/another.nlb' }),
    fc.subarray(Object.keys(own(resource))).map((missing) => without(own(resource), missing)),
    fc.constant({ 'elbv2.k8s.aws/cluster': 'prod', 'service.k8s.aws/stack': 'shop/web' }),
    fc.constant({}),
  );

function without(tags: Tags, missing: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !missing.includes(key)));
}

const account: fc.Arbitrary<Account> = fc
  .record({
    loadBalancers: fc.array(
      fc.record({
        tags: tagsOf('LoadBalancer'),
        named: fc.boolean(),
        scheme: fc.constantFrom('internal', 'internet-facing'),
        listeners: fc.uniqueArray(
          fc.record({ port: fc.constantFrom(22, 80, 81), tags: tagsOf('TCP-80'), group: fc.nat(5) }),
          {
            selector: ({ port }) => port,
          },
        ),
      }),
      { maxLength: 4 },
    ),
    targetGroups: fc.array(fc.record({ tags: tagsOf('TCP-80'), named: fc.boolean(), target: fc.nat(3) }), {
      maxLength: 6,
    }),
    securityGroups: fc.array(fc.oneof(tagsOf('SecurityGroup'), tagsOf(SHARED_GROUP)), { maxLength: 3 }),
  })
  .map(({ loadBalancers, securityGroups, targetGroups }) => ({
    // Names are unique in an account: that of the model is somebody's at most once.
    loadBalancers: loadBalancers.map(({ listeners, named, scheme, tags }, index) => ({
      LoadBalancerArn: `arn:aws:lb/${index}`,
      LoadBalancerName:
        named && !loadBalancers.slice(0, index).some((each) => each.named)
          ? model.loadBalancer.name
          : `lb-${index}`,
      Type: 'network' as const,
      Scheme: scheme as 'internal' | 'internet-facing',
      State: { Code: 'active' as const },
      VpcId: 'vpc-1',
      DNSName: `lb-${index}.example`,
      SecurityGroups: ['sg-0'],
      AvailabilityZones: [{ SubnetId: 'subnet-0', ZoneName: 'eu-central-1a' }],
      tags,
      listeners: listeners.map(({ group, port, tags: listenerTags }) => ({
        ListenerArn: `arn:aws:listener/${index}/${port}`,
        Port: port,
        Protocol: 'TCP' as const,
        DefaultActions: [{ Type: 'forward' as const, TargetGroupArn: `arn:aws:tg/${group}` }],
        tags: listenerTags,
      })),
    })),
    targetGroups: targetGroups.map(({ named, tags, target }, index) => ({
      TargetGroupArn: `arn:aws:tg/${index}`,
      TargetGroupName:
        named && !targetGroups.slice(0, index).some((each) => each.named)
          ? (model.targetGroups[0]?.name ?? '')
          : `tg-${index}`,
      Protocol: 'TCP' as const,
      Port: 30080,
      TargetType: 'instance' as const,
      tags,
      targets: [{ Target: { Id: `i-0${target}`, Port: 30080 }, TargetHealth: { State: 'healthy' as const } }],
    })),
    securityGroups: securityGroups.map((tags, index) => ({
      GroupId: `sg-${index}`,
      GroupName: `g-${index}`,
      VpcId: 'vpc-1',
      tags,
    })),
  }));

const isOurs = (tags: Tags | undefined) =>
  tags?.[OWNER_TAGS.cluster] === CLUSTER_ID && tags[OWNER_TAGS.stack] === STACK;

/** What a change is done to, with its tags; undefined: something that it makes itself. */
function victimsOf(change: AwsChange, { loadBalancers, securityGroups, targetGroups }: Account): Tags[] {
  const loadBalancer = (name: string) => loadBalancers.find((each) => each.LoadBalancerName === name);
  const group = (name: string) => targetGroups.find((each) => each.TargetGroupName === name);
  const listener = (name: string, port: number) =>
    loadBalancer(name)?.listeners.find((each) => each.Port === port);
  const found = (() => {
    switch (change.call) {
      case 'CreateListener':
        return [loadBalancer(change.loadBalancer), listener(change.loadBalancer, change.listener.port)];
      case 'ModifyListener':
        return [loadBalancer(change.loadBalancer), listener(change.loadBalancer, change.listener.port)];
      case 'ModifyListenerAttributes':
      case 'DeleteListener':
        return [loadBalancer(change.loadBalancer), listener(change.loadBalancer, change.port)];
      case 'AddTags':
      case 'RemoveTags': {
        const { of } = change;
        if (of.kind === 'SecurityGroup') return securityGroups.filter(({ tags }) => isOurs(tags)).slice(0, 1);
        if (of.kind === 'Listener')
          return [loadBalancer(of.loadBalancer), listener(of.loadBalancer, of.port)];
        return [of.kind === 'LoadBalancer' ? loadBalancer(of.name) : group(of.name)];
      }
      case 'RegisterTargets':
      case 'DeregisterTargets':
      case 'DeleteTargetGroup':
      case 'ModifyTargetGroup':
      case 'ModifyTargetGroupAttributes':
        return [group(change.name)];
      case 'DeleteLoadBalancer':
      case 'ModifyLoadBalancerAttributes':
      case 'SetIpAddressType':
      case 'SetSecurityGroups':
      case 'SetSubnets':
        return [loadBalancer(change.name)];
      default:
        return [];
    }
  })();
  return found.flatMap((each) => (each === undefined ? [] : [each.tags]));
}

/** A name that is taken by somebody else is met when it's made: `apply` looks at the tags of what it meets. */
function isMet(change: AwsChange, changes: readonly AwsChange[]): boolean {
  const made = changes.flatMap((each) => {
    if (each.call === 'CreateLoadBalancer') return [each.loadBalancer.name];
    return each.call === 'CreateTargetGroup' ? [each.targetGroup.name] : [];
  });
  const name =
    'loadBalancer' in change && typeof change.loadBalancer === 'string'
      ? change.loadBalancer
      : 'name' in change
        ? change.name
        : '';
  return made.includes(name);
}

async function changesOf(wanted: AwsModel | undefined, there: Account): Promise<AwsChange[]> {
  const { id, provider, spec } = desired;
  const subject = { id, provider, spec };
  const observed = await observeSubject(inventoryOf(there), subject, undefined, new AbortController().signal);
  return diffSubject(wanted, observed);
}

describe('providers/aws: what is not ours', () => {
  it('is in no change, in 1,000 accounts, whether the load balancer is wanted or not', async () => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(account, fc.boolean(), async (there, isWanted) => {
        const before = structuredClone(there);
        const changes = await changesOf(isWanted ? model : undefined, there);
        for (const change of changes.filter((each) => !isMet(each, changes))) {
          for (const tags of victimsOf(change, there)) {
            changed++;
            expect(isOurs(tags), `${change.summary}: ${JSON.stringify(tags)}`).to.equal(true);
          }
        }
        expect(there).to.deep.equal(before);
      }),
      { numRuns: 1000 },
    );
    // It looked at something.
    expect(changed).to.be.greaterThan(1000);
  });

  it('keeps the listeners of others on a load balancer of ours that stays', async () => {
    await fc.assert(
      fc.asyncProperty(account, async (there) => {
        const changes = await changesOf(model, there);
        const gone = new Set(
          changes.flatMap((each) => (each.call === 'DeleteLoadBalancer' ? [each.name] : [])),
        );
        for (const change of changes) {
          if (change.call !== 'DeleteListener' && change.call !== 'ModifyListener') continue;
          if (gone.has(change.loadBalancer)) continue;
          const port = change.call === 'DeleteListener' ? change.port : change.listener.port;
          const loadBalancer = there.loadBalancers.find(
            (each) => each.LoadBalancerName === change.loadBalancer,
          );
          const tags = loadBalancer?.listeners.find((each) => each.Port === port)?.tags;
          // Whoever its member is said to be: what isn't shared is its stack's.
          expect(tags?.[OWNER_TAGS.cluster]).to.equal(CLUSTER_ID);
          expect(tags?.[OWNER_TAGS.stack]).to.equal(model.stack);
        }
      }),
      { numRuns: 300 },
    );
  });
});
