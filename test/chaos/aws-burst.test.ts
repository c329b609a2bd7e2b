import { expect } from 'chai';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { findCondition } from '../../kube/conditions.ts';
import { SERVICES } from '../../kube/resources.ts';
import { objects } from '../peers/aws/plain.ts';
import { AwsBurst, until, WRITES_EACH } from './support/aws-burst.ts';

const COUNT = Number(process.env.BURST_SERVICES ?? 1_000);
/** AWS' own rates would take 22 minutes. How long it takes is measured by test/bench/aws-burst.ts. */
const FACTOR = 20;
/** A tenth of the attempts is throttled, a hundredth fails, and a few come too early for the buckets. */
const MOST_ATTEMPTS = 1.3;

describe(`${COUNT} Services at once under AWS' token buckets, a tenth of calls throttled, one in a hundred failing`, function () {
  this.timeout(900_000);
  let burst: AwsBurst;

  before(async () => {
    burst = await AwsBurst.start({ factor: FACTOR, manageSecurityGroup: false });
  });
  after(() => burst?.stop());

  it('serves one that is alone', async () => {
    await burst.serveAlone();
  });

  it('serves all, none twice, with no more calls than it takes; a single one of another namespace before a quarter of them', async () => {
    burst.fail();
    const { servedMeanwhile, writes } = await burst.serveCrowd(COUNT);
    const names = await burst.hostnames();
    expect(new Set(names).size).to.equal(COUNT);
    expect((await burst.loadBalancers()).sort()).to.deep.equal(names.sort());
    expect(writes).to.be.lessThan(COUNT * WRITES_EACH * MOST_ATTEMPTS);
    expect(servedMeanwhile).to.be.lessThan(COUNT / 4);
  });

  it('verifies who owns them after a restart by at most three reads for each twenty, and changes nothing', async () => {
    const { aws, cluster } = burst;
    aws.heal();
    await until('all to be carried out', async () => {
      const { items } = await cluster.adminClient().list(LOAD_BALANCERS);
      return items.every(
        ({ status }) =>
          status?.applied !== undefined && findCondition(status.conditions, 'Ready')?.status === 'True',
      );
    });
    await burst.killOperator();
    aws.calls.reset();
    await burst.startOperator();
    // Until nothing is asked any more for a while.
    let count = -1;
    await until('calm', async () => {
      const before = count;
      count = aws.calls.count();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return count > 0 && count === before;
    });

    const calls = aws.calls.byOperation();
    expect(Object.keys(calls).filter((operation) => !operation.startsWith('Describe'))).to.deep.equal([]);
    expect(aws.calls.count({ service: 'elasticloadbalancing' }), JSON.stringify(calls)).to.be.at.most(
      (COUNT / 20) * 3,
    );
  });

  it('leaves nothing behind when all of them go', async () => {
    const { aws, cluster } = burst;
    const client = cluster.adminClient();
    await burst.deleteAll();
    await until('all to be gone', async () => {
      const lists = await Promise.all(
        ['big', 'small'].map((namespace) => client.list(SERVICES, { namespace })),
      );
      return lists.every(({ items }) => items.length === 0);
    });

    expect(await burst.loadBalancers()).to.deep.equal([]);
    await until('no target group to be left', async () => {
      return objects((await aws.elb('DescribeTargetGroups')).TargetGroups).length === 0;
    });
  });
});
