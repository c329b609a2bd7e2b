import { expect } from 'chai';
import { createAwsAccess } from '../../../providers/aws/calls/aws-access.ts';
import { THROTTLED } from '../../peers/aws/fault-rules.ts';
import { Account, limits, never } from './support/account.ts';
import { creation, modelOf, readSecret, subjectOf } from './support/fixture.ts';

/** AWS' buckets, this much larger and faster, for the tests not to take long. */
const FACTOR = 10;

describe('aws: the limits of an account', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  afterEach(() => account.peer.heal());

  /** A process of its own, with full buckets. */
  const connect = () => createAwsAccess({ readSecret, limits: limits(FACTOR) });

  /** Makes so many of a namespace at once; answers how long each of them took. */
  function make(access: ReturnType<typeof connect>, namespace: string, count: number): Promise<number[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const startedAt = performance.now();
        const subject = subjectOf(account.provider, `n${at}`, namespace);
        const model = modelOf(subject, account.network, { withSecurityGroup: false });
        await access.observe(subject, undefined, never);
        for (const change of creation(model, account.network)) await access.apply(change, subject, never);
        return (performance.now() - startedAt) / 1000;
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
    const access = connect();
    const many = make(access, 'many', 120);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const startedAt = performance.now();
    await make(access, 'one', 1);
    const alone = (performance.now() - startedAt) / 1000;
    const left = account.peer.calls.count({ operation: 'CreateLoadBalancer' });
    const took = await many;
    expect(alone).to.be.below(Math.max(...took) / 3);
    expect(left).to.be.below(80 + 121);
  }).timeout(120_000);
});
