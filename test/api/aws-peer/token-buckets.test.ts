import { expect } from 'chai';
import { TokenBuckets } from '../../peers/aws/token-buckets.ts';

describe('stand-in for AWS: token buckets', () => {
  /** How many of `count` calls pass at `now`, in ms. */
  function passing(
    buckets: TokenBuckets,
    operation: string,
    count: number,
    now: number,
    service = 'elasticloadbalancing',
  ) {
    let passed = 0;
    for (let call = 0; call < count; call++) {
      try {
        buckets.take({ service, operation, region: 'eu-central-1' }, now);
        passed++;
      } catch {
        break;
      }
    }
    return passed;
  }

  it('are off until they are enabled', () => {
    expect(passing(new TokenBuckets(), 'DescribeTags', 1_000, 0)).to.equal(1_000);
  });

  it('hold what AWS documents, and are refilled by the second', () => {
    const buckets = new TokenBuckets();
    buckets.enable();

    expect(passing(buckets, 'DescribeTags', 100, 0)).to.equal(40);
    expect(passing(buckets, 'DescribeListeners', 100, 1_000)).to.equal(10);
    expect(passing(buckets, 'RegisterTargets', 100, 0)).to.equal(20);
    expect(passing(buckets, 'DeregisterTargets', 100, 1_000)).to.equal(4);
    expect(passing(buckets, 'CreateListener', 100, 0)).to.equal(20);
    expect(passing(buckets, 'ModifyListener', 100, 1_000)).to.equal(3);
    expect(passing(buckets, 'DescribeTags', 100, 3_600_000)).to.equal(40);
  });

  it('are one for each operation in EC2', () => {
    const buckets = new TokenBuckets();
    buckets.enable();

    expect(passing(buckets, 'DescribeSubnets', 200, 0, 'ec2')).to.equal(100);
    expect(passing(buckets, 'DescribeInstances', 200, 0, 'ec2')).to.equal(100);
    expect(passing(buckets, 'CreateSecurityGroup', 200, 0, 'ec2')).to.equal(50);
    expect(passing(buckets, 'CreateSecurityGroup', 200, 1_000, 'ec2')).to.equal(5);
  });

  it('grow with a factor', () => {
    const buckets = new TokenBuckets();
    buckets.enable(10);

    expect(passing(buckets, 'CreateListener', 1_000, 0)).to.equal(200);
    expect(passing(buckets, 'CreateListener', 1_000, 1_000)).to.equal(30);
  });
});
