import { expect } from 'chai';
import fc from 'fast-check';
import type { AwsChange } from '../../../../providers/aws/changes.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import type { AwsModel } from '../../../../providers/aws/model.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import { account, desired, isOurs, model, type Tags } from './support/any-account.ts';
import { CLUSTER_ID } from './support/desired.ts';
import { type Account, inventoryOf } from './support/fake-account.ts';

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
