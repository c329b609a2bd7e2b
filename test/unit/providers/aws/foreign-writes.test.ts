import { expect } from 'chai';
import fc from 'fast-check';
import { isClass } from '../../../../kube/errors.ts';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import type { AwsModel } from '../../../../providers/aws/model.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import { account, desired, isOurs, model } from './support/any-account.ts';
import { type Account, inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
const subject = { id: desired.id, provider: desired.provider, spec: desired.spec };
const config = desired.provider.spec.aws ?? { region: 'eu-central-1' };
/** More turns than any of them takes. */
const MOST_TURNS = 8;

/** Rules that somebody has in the nodes' group. */
const THEIRS = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }];

function live(there: Account): LiveAccount {
  // Tags of several things may be one object: these here are each their own.
  const copy: Account = JSON.parse(JSON.stringify(there));
  const nodes = { GroupId: NODES, GroupName: 'nodes', VpcId: 'vpc-1', tags: {}, IpPermissions: THEIRS };
  return new LiveAccount({
    ...copy,
    securityGroups: [...copy.securityGroups, nodes],
  });
}

/** Turn after turn, until there is nothing to do, or nothing that can be done. Answers whether all was done. */
async function carryOut(account: LiveAccount, wanted: AwsModel | undefined): Promise<boolean> {
  const inventory = inventoryWith(account.handlers);
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const changes = diffSubject(wanted, await observeSubject(inventory, subject, undefined, signal));
    if (changes.length === 0) return true;
    for (const change of changes) {
      try {
        await applyChange(change, { inventory, subject, config, signal });
      } catch (error) {
        // A name that somebody has, a thing that is still used: told, and tried again by the next turn.
        if (!isClass(error, 'Conflict', 'Transient')) throw error;
        break;
      }
    }
  }
  return false;
}

/** What isn't ours, as it is; of load balancers that are ours, the listeners of others. */
function foreignIn({ loadBalancers, securityGroups, targetGroups }: Account, gone: ReadonlySet<string>) {
  return {
    loadBalancers: loadBalancers.filter(({ tags }) => !isOurs(tags)),
    listeners: loadBalancers
      .filter(({ LoadBalancerArn = '', tags }) => isOurs(tags) && !gone.has(LoadBalancerArn))
      .flatMap(({ listeners }) => listeners.filter(({ tags }) => !isOurs(tags))),
    targetGroups: targetGroups.filter(({ tags }) => !isOurs(tags)),
    securityGroups: securityGroups.filter(({ GroupId, tags }) => GroupId !== NODES && !isOurs(tags)),
  };
}

describe('providers/aws: what is not ours, while changes are carried out', function () {
  this.timeout(120_000);

  it('is in no call that changes anything, in 1,000 accounts', async () => {
    const counts = { writes: 0, done: 0, foreign: 0, byOperation: new Map<string, number>() };
    await fc.assert(
      fc.asyncProperty(account, fc.constantFrom('wanted', 'not wanted', 'both'), async (there, what) => {
        const before = live(there).account;
        const tagsBefore = new LiveAccount(before);
        const now = live(there);
        if (what !== 'not wanted' && (await carryOut(now, model))) counts.done++;
        if (what !== 'wanted' && (await carryOut(now, undefined))) counts.done++;

        for (const { operation, touched } of now.writes) {
          counts.writes++;
          counts.byOperation.set(operation, (counts.byOperation.get(operation) ?? 0) + 1);
          for (const id of touched.filter((each) => each !== NODES)) {
            const tags = tagsBefore.tagsOf(id);
            if (tags !== undefined) expect(isOurs(tags), `${operation} of ${id}`).to.equal(true);
          }
        }
        const gone = new Set(
          now.writes.flatMap(({ operation, touched }) => (operation === 'deleteLoadBalancer' ? touched : [])),
        );
        const foreign = foreignIn(before, gone);
        counts.foreign += Object.values(foreign).flat().length;
        const after = foreignIn(now.account, gone);
        for (const kind of ['loadBalancers', 'listeners', 'targetGroups'] as const) {
          expect(after[kind], kind).to.deep.equal(foreign[kind]);
        }
        // The shared group is made in the name of the provider.
        expect(after.securityGroups).to.include.deep.members(foreign.securityGroups);
        const nodes = now.account.securityGroups.find(({ GroupId }) => GroupId === NODES);
        expect(nodes?.IpPermissions).to.include.deep.members(THEIRS);
      }),
      { numRuns: 1000 },
    );
    // It had something to keep, and did something.
    expect(counts.foreign).to.be.greaterThan(1000);
    expect(counts.writes).to.be.greaterThan(2500);
    expect(counts.done).to.be.greaterThan(300);
    for (const operation of [
      'createLoadBalancer',
      'createListener',
      'deleteLoadBalancer',
      'deleteTargetGroup',
    ]) {
      expect(counts.byOperation.get(operation) ?? 0, operation).to.be.greaterThan(100);
    }
  });
});
