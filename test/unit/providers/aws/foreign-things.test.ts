import { expect } from 'chai';
import fc from 'fast-check';
import type { InputOf, OperationName, OutputOf } from '../../../../providers/aws/calls/operations.ts';
import { loadInventory } from '../../../../providers/aws/observe/load-inventory.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../../../../providers/aws/tags.ts';

const CLUSTER = 'this-cluster';

interface Thing {
  kind: 'LoadBalancer' | 'ApplicationLoadBalancer' | 'TargetGroup' | 'HttpTargetGroup' | 'SecurityGroup';
  tags: Record<string, string>;
}

/** Tags as we write them, with one or the other missing, or as others do. */
const tags = fc.record(
  {
    [OWNER_TAGS.cluster]: fc.constantFrom(CLUSTER, 'another-cluster', ''),
    [OWNER_TAGS.stack]: fc.constantFrom('shop/web.nlb', 'shop/front.nlb:shared'),
    [OWNER_TAGS.member]: fc.constantFrom('shop/web.nlb', 'shop/api.nlb'),
    [OWNER_TAGS.resource]: fc.constantFrom('LoadBalancer', 'TCP-80', 'SecurityGroup', SHARED_GROUP),
    'elbv2.k8s.aws/cluster': fc.constant(CLUSTER),
    Name: fc.constantFrom('web', 'fl-shop-web-nlb-0123456789ab'),
  },
  { requiredKeys: [] },
);

const things: fc.Arbitrary<Thing[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'LoadBalancer' as const,
      'ApplicationLoadBalancer' as const,
      'TargetGroup' as const,
      'HttpTargetGroup' as const,
      'SecurityGroup' as const,
    ),
    tags,
  }),
  { maxLength: 60 },
);

/** An account that has these. It answers listings, and fails for whatever else is called. */
class Account {
  readonly calls: string[] = [];
  readonly #things: readonly Thing[];
  readonly #answers: { [N in OperationName]?: (input: InputOf<N>) => OutputOf<N> } = {
    DescribeLoadBalancers: () => ({
      $metadata: {},
      LoadBalancers: this.#of(/LoadBalancer$/).map(({ arn, kind }) => ({
        LoadBalancerArn: arn,
        LoadBalancerName: arn,
        Type: kind === 'LoadBalancer' ? 'network' : 'application',
      })),
    }),
    DescribeTargetGroups: () => ({
      $metadata: {},
      TargetGroups: this.#of(/TargetGroup$/).map(({ arn, kind }) => ({
        TargetGroupArn: arn,
        TargetGroupName: arn,
        Protocol: kind === 'TargetGroup' ? 'TCP' : 'HTTP',
      })),
    }),
    DescribeTags: ({ ResourceArns = [] }) => {
      expect(ResourceArns.length).to.be.within(1, 20);
      const found = this.#of(/./).filter(({ arn }) => ResourceArns.includes(arn));
      return {
        $metadata: {},
        TagDescriptions: found.map((each) => ({ ResourceArn: each.arn, Tags: toList(each.tags) })),
      };
    },
    DescribeSecurityGroups: () => ({
      $metadata: {},
      SecurityGroups: this.#of(/SecurityGroup/).map((each) => ({
        GroupId: each.arn,
        Tags: toList(each.tags),
      })),
    }),
  };

  constructor(some: readonly Thing[]) {
    this.#things = some;
  }

  async call<N extends OperationName>(operation: N, input: InputOf<N>): Promise<OutputOf<N>> {
    this.calls.push(operation);
    const answer = this.#answers[operation];
    if (answer === undefined) throw new Error(`nobody may call ${operation}`);
    return answer(input);
  }

  #of(kind: RegExp) {
    return this.#things
      .map((each, at) => ({ ...each, arn: `arn:${at}` }))
      .filter((each) => kind.test(each.kind));
  }
}

function toList(record: Record<string, string>) {
  return Object.entries(record).map(([Key, Value]) => ({ Key, Value }));
}

describe('providers/aws/load-inventory', () => {
  it('knows of nothing that lacks our tags, whatever else there is', async () => {
    const context = { turn: '', inBackground: false, signal: new AbortController().signal };
    await fc.assert(
      fc.asyncProperty(things, async (some) => {
        const calls = new Account(some);
        const options = { calls, clusterId: CLUSTER, foreign: new Set<string>(), onArn: () => {} };
        const { sharedGroups, stacks } = await loadInventory(options, context);
        const known = [...stacks.values()].flatMap(({ loadBalancers, securityGroup, targetGroups }) => [
          ...loadBalancers.map(({ arn }) => arn),
          ...targetGroups.map(({ arn }) => arn),
          ...(securityGroup === undefined ? [] : [securityGroup.id]),
        ]);
        for (const id of [...known, ...sharedGroups.map((each) => each.id)]) {
          const thing = some[Number(id.slice('arn:'.length))];
          expect(thing?.tags[OWNER_TAGS.cluster]).to.equal(CLUSTER);
          expect(thing?.kind).to.be.oneOf(['LoadBalancer', 'TargetGroup', 'SecurityGroup']);
        }
        for (const id of known) {
          expect(some[Number(id.slice('arn:'.length))]?.tags).to.have.property(OWNER_TAGS.stack);
        }
        const ours = some.filter(
          ({ kind, tags: each }) =>
            (kind === 'LoadBalancer' || kind === 'TargetGroup') &&
            each[OWNER_TAGS.cluster] === CLUSTER &&
            each[OWNER_TAGS.stack] !== undefined,
        );
        expect(known.length).to.be.at.least(ours.length);
      }),
      { numRuns: 1000 },
    );
  });
});
