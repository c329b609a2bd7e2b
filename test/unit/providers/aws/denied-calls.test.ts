import { expect } from 'chai';
import { isClass } from '../../../../kube/errors.ts';
import { type Handlers, inventoryWith } from './support/fake-account.ts';

const TargetGroupArn = 'arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/gone/1';
const context = { turn: 'shop', inBackground: false, signal: new AbortController().signal };

function refuse(name: string, httpStatusCode = 400): never {
  throw Object.assign(new Error(name), { name, $fault: 'client', $metadata: { httpStatusCode } });
}

/** What a call fails with, and the calls that were made. */
async function fail(handlers: Handlers, work: (calls: ReturnType<typeof inventoryWith>['calls']) => unknown) {
  const made: string[] = [];
  const noting = Object.entries(handlers).map(([name, handler]): [string, Handlers[string]] => [
    name,
    (input) => {
      made.push(name);
      return handler(input);
    },
  ]);
  const { calls } = inventoryWith(Object.fromEntries(noting));
  try {
    await work(calls);
  } catch (error) {
    if (isClass(error)) return { error, made };
    throw error;
  }
  return { error: undefined, made };
}

describe('providers/aws: calls that are denied', () => {
  const denied = () => refuse('AccessDenied', 403);

  it('are of what is gone, where it is: rights that are bound to tags say no more', async () => {
    const { error } = await fail(
      { deleteTargetGroup: denied, describeTargetGroups: () => refuse('TargetGroupNotFound') },
      (calls) => calls.call('DeleteTargetGroup', { TargetGroupArn }, context),
    );
    expect(error).to.include({ class: 'NotFound', reason: 'TargetGroupNotFound' });
  });

  it('are told as denied of what is there, and where that is denied, too', async () => {
    for (const describeTargetGroups of [() => ({ TargetGroups: [] }), denied]) {
      const { error } = await fail({ deleteTargetGroup: denied, describeTargetGroups }, (calls) =>
        calls.call('DeleteTargetGroup', { TargetGroupArn }, context),
      );
      expect(error).to.include({ class: 'Transient', reason: 'AccessDenied' });
    }
  });

  it('are looked at for security groups as well', async () => {
    const { error } = await fail(
      {
        revokeSecurityGroupIngress: () => refuse('UnauthorizedOperation', 403),
        describeSecurityGroups: () => refuse('InvalidGroup.NotFound'),
      },
      (calls) => calls.call('RevokeSecurityGroupIngress', { GroupId: 'sg-1' }, context),
    );
    expect(error).to.include({ class: 'NotFound' });
  });

  it('are looked at for tags as well, of whatever thing', async () => {
    const ResourceArns = [TargetGroupArn];
    const elb: Handlers = {
      addTags: denied,
      removeTags: denied,
      describeTags: () => refuse('TargetGroupNotFound'),
    };
    const ec2: Handlers = {
      createTags: () => refuse('UnauthorizedOperation', 403),
      deleteTags: () => refuse('UnauthorizedOperation', 403),
      describeSecurityGroups: () => refuse('InvalidGroup.NotFound'),
    };
    const failures = [
      fail(elb, (calls) => calls.call('AddTags', { ResourceArns, Tags: [{ Key: 'a' }] }, context)),
      fail(elb, (calls) => calls.call('RemoveTags', { ResourceArns, TagKeys: ['a'] }, context)),
      fail(ec2, (calls) => calls.call('CreateTags', { Resources: ['sg-1'], Tags: [{ Key: 'a' }] }, context)),
      fail(ec2, (calls) => calls.call('DeleteTags', { Resources: ['sg-1'], Tags: [{ Key: 'a' }] }, context)),
    ];
    for (const { error } of await Promise.all(failures)) expect(error).to.include({ class: 'NotFound' });
    const there = await fail({ ...elb, describeTags: () => ({ TagDescriptions: [] }) }, (calls) =>
      calls.call('AddTags', { ResourceArns, Tags: [{ Key: 'a' }] }, context),
    );
    expect(there.error).to.include({ class: 'Transient', reason: 'AccessDenied' });
  });

  it('are tried again where it was made a moment ago: its tags may not be known yet', async () => {
    let tries = 0;
    const { error, made } = await fail(
      {
        createTargetGroup: () => ({ TargetGroups: [{ TargetGroupArn }] }),
        registerTargets: () => (++tries < 2 ? denied() : {}),
      },
      async (calls) => {
        await calls.call('CreateTargetGroup', { Name: 'made' }, context);
        await calls.call('RegisterTargets', { TargetGroupArn, Targets: [] }, context);
      },
    );
    expect(error).to.equal(undefined);
    expect(made).to.deep.equal(['createTargetGroup', 'registerTargets', 'registerTargets']);
  });

  it('are given up soon all the same, when it is the right that lacks', async () => {
    const { error, made } = await fail(
      { createTargetGroup: () => ({ TargetGroups: [{ TargetGroupArn }] }), registerTargets: denied },
      async (calls) => {
        await calls.call('CreateTargetGroup', { Name: 'made' }, context);
        await calls.call('RegisterTargets', { TargetGroupArn, Targets: [] }, context);
      },
    );
    expect(error).to.include({ reason: 'AccessDenied' });
    expect(made.filter((each) => each === 'registerTargets')).to.have.length(3);
  });
});
