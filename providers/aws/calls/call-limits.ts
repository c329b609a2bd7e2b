/** The buckets of one account and region. */
export type BucketName = 'elbRead' | 'elbRegister' | 'elbWrite' | 'ec2Read' | 'ec2Write';

export interface BucketFigures {
  perSecond: number;
  burst: number;
}

/**
 * What AWS gives an account in a region, where it tells it. ELBv2: all Describe* share one bucket, registration and all other
 * changes have one each (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html). EC2 counts
 * each operation alone, 50 and 5 a second for most that change something
 * (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html): one bucket for all of them keeps well below.
 */
export const CALL_LIMITS: Readonly<Record<BucketName, BucketFigures>> = {
  elbRead: { perSecond: 10, burst: 40 },
  elbRegister: { perSecond: 4, burst: 20 },
  elbWrite: { perSecond: 3, burst: 20 },
  ec2Read: { perSecond: 10, burst: 50 },
  ec2Write: { perSecond: 5, burst: 50 },
};
