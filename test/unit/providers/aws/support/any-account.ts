import fc from 'fast-check';
import { buildModel } from '../../../../../providers/aws/build/build-model.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../../../../../providers/aws/tags.ts';
import { CLUSTER_ID, desiredWith } from './desired.ts';
import type { Account } from './fake-account.ts';

/** A Service, and what it ought to have. */
export const desired = desiredWith();
export const model = buildModel(desired);
const STACK = model.stack;

export type Tags = Record<string, string>;

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

/** Things of ours and of others, and such as are nearly ours; names of ours that others have. */
export const account: fc.Arbitrary<Account> = fc
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

/** Of the Service that is wanted. */
export const isOurs = (tags: Tags | undefined) =>
  tags?.[OWNER_TAGS.cluster] === CLUSTER_ID && tags[OWNER_TAGS.stack] === STACK;
