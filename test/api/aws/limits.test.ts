import { expect } from 'chai';
import { createAwsAccess } from '../../../providers/aws/calls/aws-access.ts';
import { THROTTLED } from '../../peers/aws/fault-rules.ts';
import { eventually } from '../../support/eventually.ts';
import { Account, limits, never } from './support/account.ts';
import { creation, modelOf, readSecret, subjectOf } from './support/fixture.ts';

/** AWS' buckets, this much larger and faster, for the tests not to take long. */
const FACTOR = 10;
/** For what is waited for to be the buckets, on a slow machine too. */
const SLOWER_FACTOR = 4;

describe('aws: the limits of an account', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  afterEach(() => account.peer.heal());

  /** A process of its own, with full buckets. */
  const connect = (factor = FACTOR) => createAwsAccess({ readSecret, limits: limits(factor) });

  /** Makes so many of a namespace at once. */
  async function make(access: ReturnType<typeof connect>, namespace: string, count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const subject = subjectOf(account.provider, `n${at}`, namespace);
        const model = modelOf(subject, account.network, { withSecurityGroup: false });
        await access.observe(subject, undefined, never);
        for (const change of creation(model, account.network)) await access.apply(change, subject, never);
      }),
    );
  }

  it('are kept to: AWS never throttles', async () => {
    account.peer.buckets.enable(FACTOR);
    account.peer.calls.reset();
    await make(connect(), 'kept', 80);
    expect(account.peer.calls.count({ code: THROTTLED.code })).to.equal(0);
    expect(account.peer.calls.count({ operation: 'CreateLoadBalancer' })).to.equal(80);
  }).timeout(120_000);

  it('let a namespace with one load balancer be served beside one with many', async () => {
    account.peer.calls.reset();
    const made = () => account.peer.calls.count({ operation: 'CreateLoadBalancer' });
    const access = connect(SLOWER_FACTOR);
    const many = make(access, 'many', 40);
    await eventually(async () => expect(made()).to.be.above(5), 60_000);
    const before = made();
    await make(access, 'one', 1);
    const meanwhile = made() - before - 1;
    await many;
    expect(made()).to.equal(41);
    expect(meanwhile).to.be.below((40 - before) / 2);
  }).timeout(180_000);
});
