import { expect } from 'chai';
import { applyChange } from '../../../../providers/aws/apply/apply.ts';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffSubject } from '../../../../providers/aws/diff/diff-subject.ts';
import { observeSubject } from '../../../../providers/aws/observe/observe.ts';
import { tellStatus } from '../../../../providers/aws/status.ts';
import { desiredWith, nodeOf } from './support/desired.ts';
import { type Handlers, type Input, inventoryWith } from './support/fake-account.ts';
import { LiveAccount, NODES } from './support/live-account.ts';

const signal = new AbortController().signal;
const nodes = Array.from({ length: 9 }, (_, index) => nodeOf(index + 1));

/** An account that refuses these targets, all of a call for one of them, in such words. */
function start(refused: ReadonlySet<string>, words: (ids: string[]) => string, code = 'InvalidTarget') {
  const securityGroups = [{ GroupId: NODES, GroupName: NODES, VpcId: 'vpc-1', tags: {}, IpPermissions: [] }];
  const live = new LiveAccount({ loadBalancers: [], targetGroups: [], securityGroups });
  let calls = 0;
  const handlers: Handlers = {
    ...live.handlers,
    registerTargets: (input: Input) => {
      calls++;
      const wrong = (input.Targets ?? []).flatMap(({ Id = '' }) => (refused.has(Id) ? [Id] : []));
      if (wrong.length > 0) {
        throw Object.assign(new Error(words(wrong)), {
          name: code,
          $fault: 'client',
          $metadata: { httpStatusCode: 400 },
        });
      }
      return live.handlers.registerTargets?.(input);
    },
  };
  const inventory = inventoryWith(handlers);
  const desired = desiredWith({ nodes });
  const model = buildModel(desired);
  const plan = async () => diffSubject(model, await observeSubject(inventory, desired, undefined, signal));
  const turn = async () => {
    const config = { region: 'eu-central-1' };
    for (const change of await plan())
      await applyChange(change, { inventory, subject: desired, config, signal });
  };
  const status = async () => tellStatus(model, await observeSubject(inventory, desired, undefined, signal));
  const registered = () =>
    live.account.targetGroups.flatMap(({ targets }) => targets.map(({ Target }) => Target?.Id)).sort();
  return { live, plan, registered, status, timesCalled: () => calls, turn };
}

const others = (...refused: string[]) =>
  nodes.map((_, index) => `i-0${index + 1}`).filter((id) => !refused.includes(id));

describe('providers/aws: targets that AWS refuses', () => {
  const named = (ids: string[]) =>
    `The following targets are not in a running state and cannot be registered: '${ids.join("', '")}'`;

  it('keep none of the others out, nor the listeners, and are told by name', async () => {
    const aws = start(new Set(['i-02', 'i-07']), named);
    await aws.turn();
    expect(aws.registered()).to.deep.equal(others('i-02', 'i-07'));
    expect(aws.timesCalled()).to.equal(2);
    expect(aws.live.account.loadBalancers.flatMap(({ listeners }) => listeners)).to.have.length(1);
    const { unhealthy, waitsForOthers } = await aws.status();
    expect(unhealthy?.message).to.contain('i-02, i-07').and.to.contain('not in a running state');
    expect(waitsForOthers).to.contain('i-02:30080 refused').and.to.contain('i-07:30080 refused');
  });

  it('are not tried again at once, and are as soon as their time has come', async () => {
    const refused = new Set(['i-03']);
    const aws = start(refused, named);
    // Rules of the nodes' group come with a turn of their own.
    for (let turns = 0; turns < 3; turns++) await aws.turn();
    expect(aws.timesCalled()).to.equal(2);
    expect(await aws.plan()).to.deep.equal([]);
    const { againAfterSeconds = 0 } = await aws.status();
    expect(againAfterSeconds).to.be.within(1, 5);
    const now = performance.now.bind(performance);
    performance.now = () => now() + 6_000;
    try {
      refused.clear();
      expect((await aws.plan()).map(({ call }) => call)).to.include('RegisterTargets');
      await aws.turn();
      expect(aws.registered()).to.deep.equal(others());
      expect(await aws.status()).not.to.have.property('waitsForOthers');
    } finally {
      performance.now = now;
    }
  });

  it('are found out where AWS names nobody', async () => {
    const aws = start(new Set(['i-04', 'i-05']), () => 'A target is invalid');
    await aws.turn();
    expect(aws.registered()).to.deep.equal(others('i-04', 'i-05'));
    expect((await aws.status()).unhealthy?.message).to.contain('i-04, i-05');
  });

  it('may be all of them: the load balancer is made, and says so', async () => {
    const aws = start(new Set(others()), named);
    await aws.turn();
    expect(aws.registered()).to.deep.equal([]);
    expect(aws.live.account.loadBalancers).to.have.length(1);
    const { unhealthy } = await aws.status();
    expect(unhealthy?.reason).to.equal('NoHealthyTarget');
    expect(unhealthy?.message).to.contain('9 refused').and.to.contain('and 6 more');
  });

  it('are not meant by an error that names none of them', async () => {
    const aws = start(new Set(['i-06']), () => 'Something else is wrong with the request', 'ValidationError');
    const failure = await aws.turn().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.have.property('reason', 'ValidationError');
    expect(aws.timesCalled()).to.equal(1);
  });
});
