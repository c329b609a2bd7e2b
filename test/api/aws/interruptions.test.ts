import { expect } from 'chai';
import type { AwsChange } from '../../../providers/aws/changes.ts';
import type { Subject } from '../../../providers/provider.ts';
import { THROTTLED } from '../../peers/aws/fault-rules.ts';
import { Account, failureOf, never } from './support/account.ts';
import { creation, deletion, modelOf, subjectOf } from './support/fixture.ts';

/** What creating one load balancer calls that changes something. */
const WRITES = /^(Create|Modify|Register|Authorize|Set)/;

describe('aws: calls that are cut off', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  beforeEach(() => account.peer.calls.reset());
  afterEach(() => account.peer.heal());

  /** One of each, named as the model says, with its listener and targets. */
  async function expectOne(subject: Subject, model: ReturnType<typeof modelOf>): Promise<void> {
    expect(await account.loadBalancers()).to.deep.equal([model.loadBalancer.name]);
    expect(await account.targetGroups()).to.deep.equal(model.targetGroups.map(({ name }) => name));
    expect(await account.securityGroups()).to.have.length(2);
    account.forget();
    const observed = await account.observe(subject);
    expect(observed.loadBalancers[0]?.listeners).to.have.length(1);
    expect(observed.targetGroups[0]?.targets).to.have.length(2);
    expect(observed.securityGroup?.ingress).to.have.length(1);
  }

  async function expectNone(): Promise<void> {
    expect(await account.loadBalancers()).to.deep.equal([]);
    expect(await account.targetGroups()).to.deep.equal([]);
    expect(await account.securityGroups()).to.deep.equal([]);
  }

  /** From the beginning, past what fails for the moment, as the operator's turns do. */
  async function untilDone(changes: () => readonly AwsChange[], subject: Subject): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      if ((await failureOf(account.apply(changes(), subject))) === undefined) return;
    }
    throw new Error('it never ended');
  }

  it('makes no twin of anything whose answer was lost, whichever it was', async () => {
    const subject = subjectOf(account.provider, 'lost');
    const model = modelOf(subject, account.network);
    await account.apply(creation(model, account.network), subject);
    const writes = account.peer.calls.count({ operation: WRITES });
    await account.apply(deletion(model), subject);
    expect(writes).to.be.at.least(7);
    for (let nth = 1; nth <= writes; nth++) {
      const fault = account.peer.inject({ operation: WRITES, nth, fault: { cut: 'after' } });
      await account.apply(creation(model, account.network), subject);
      expect(fault.hits, `the answer of write ${nth}`).to.equal(1);
      fault.remove();
      await expectOne(subject, model);
      await account.apply(deletion(model), subject);
      await expectNone();
    }
  }).timeout(180_000);

  it('goes on after a process that died behind any of its calls', async () => {
    const subject = subjectOf(account.provider, 'killed');
    const model = modelOf(subject, account.network);
    const changes = creation(model, account.network);
    for (let done = 0; done < changes.length; done++) {
      const abort = new AbortController();
      const stop = account.peer.afterCall((call) => {
        if (WRITES.test(call.operation) && ++seen > done) abort.abort(new Error('killed'));
      });
      let seen = 0;
      const apply = async () => {
        for (const each of changes) await account.access.apply(each, subject, abort.signal);
      };
      expect(await failureOf(apply()))
        .to.be.an('error')
        .with.property('message', 'killed');
      stop();
      account.forget();
      await untilDone(() => changes, subject);
      await expectOne(subject, model);
      account.forget();
      await untilDone(() => deletion(model), subject);
      await expectNone();
    }
  }).timeout(180_000);

  it('deletes what is left after a process that died behind any deletion', async () => {
    const subject = subjectOf(account.provider, 'half-gone');
    const model = modelOf(subject, account.network);
    const deletions = deletion(model);
    for (let done = 1; done < deletions.length; done++) {
      await account.apply(creation(model, account.network), subject);
      await account.apply(deletions.slice(0, done), subject);
      account.forget();
      await untilDone(() => deletions, subject);
      await expectNone();
    }
  }).timeout(180_000);

  it('takes being throttled and failed at random for what it is, and ends right', async () => {
    account.peer.inject({ share: 0.2, fault: { error: THROTTLED } });
    account.peer.inject({ share: 0.05, fault: { error: { code: 'InternalFailure', status: 500 } } });
    account.peer.inject({ share: 0.05, fault: { cut: 'before' } });
    account.forget();
    const subjects = Array.from({ length: 10 }, (_, at) => subjectOf(account.provider, `storm-${at}`));
    const models = subjects.map((subject, at) => modelOf(subject, account.network, { nodePort: 30100 + at }));
    await Promise.all(
      models.map((model, at) =>
        untilDone(() => creation(model, account.network), subjects[at] ?? subjectOf(account.provider, '')),
      ),
    );
    expect((await account.loadBalancers()).sort()).to.deep.equal(
      models.map((model) => model.loadBalancer.name).sort(),
    );
    await Promise.all(
      models.map((model, at) =>
        untilDone(() => deletion(model), subjects[at] ?? subjectOf(account.provider, '')),
      ),
    );
    account.peer.heal();
    await expectNone();
  }).timeout(180_000);

  it('makes no twin while AWS does not show yet what was made, whatever a sweep sees', async () => {
    account.forget();
    const subject = subjectOf(account.provider, 'unseen');
    const model = modelOf(subject, account.network);
    account.peer.times.visibleAfterMs = 1500;
    for (const each of creation(model, account.network)) {
      await account.access.apply(each, subject, never);
      await account.access.refresh(account.provider, subject.id.clusterId, never);
    }
    account.peer.times.visibleAfterMs = 0;
    expect(account.peer.calls.count({ operation: 'CreateLoadBalancer' })).to.equal(1);
    await expectOne(subject, model);
    await untilDone(() => deletion(model), subject);
    await expectNone();
  }).timeout(120_000);

  it('ends at once when it is told to, wherever it is', async () => {
    account.peer.inject({ operation: 'CreateTargetGroup', fault: { delayMs: 30_000 } });
    const subject = subjectOf(account.provider, 'stopped');
    const [first] = creation(
      modelOf(subject, account.network, { withSecurityGroup: false }),
      account.network,
    );
    const abort = new AbortController();
    const work = failureOf(account.access.apply(first ?? fail(), subject, abort.signal));
    setTimeout(() => abort.abort(new Error('stopping')), 200);
    expect(await work)
      .to.be.an('error')
      .with.property('message', 'stopping');
  });

  it('gives up a call that gets no answer within its time, and tries it again', async () => {
    const { provider } = account;
    const aws = { ...(provider.spec.aws ?? fail()), timeoutSeconds: 1 };
    const hasty = { ...provider, spec: { ...provider.spec, aws } };
    const fault = account.peer.inject({ operation: 'CreateTargetGroup', nth: 1, fault: { delayMs: 20_000 } });
    const subject = subjectOf(hasty, 'hasty');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const [first] = creation(model, account.network);
    account.reports.length = 0;
    await account.access.apply(first ?? fail(), subject, never);
    expect(fault.hits).to.equal(1);
    const codes = account.reports
      .filter(({ operation }) => operation === 'CreateTargetGroup')
      .map(({ code }) => code);
    // A busy machine may take more than that second for the next one, too.
    expect([codes[0], codes.at(-1)]).to.deep.equal(['Timeout', 'ok']);
    account.peer.heal();
  }).timeout(120_000);
});

function fail(): never {
  throw new Error('the fixture has one');
}
