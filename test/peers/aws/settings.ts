/** What tests choose of the time that things take in AWS; may be changed at any moment. All ms, but for the scale. */
export interface AwsTimes {
  /** From the creation of a load balancer until it is `active`. AWS: two to five minutes. */
  provisioningMs: number;
  /** From the creation of a thing until reads find it, those by hand excepted. AWS: at once most times, seconds at others. */
  visibleAfterMs: number;
  /** From registration until a target is no longer `initial`. AWS: minutes with a Network Load Balancer. */
  initialMs: number;
  /** Part of the deregistration delay for which a target is `draining`: 0.01 makes 3 s of 300 s. */
  drainScale: number;
  /** How long a target group stays in use after its last listener is gone. AWS: seconds. */
  targetGroupReleaseMs: number;
  /** How long a security group stays in use after its last load balancer is gone. AWS: up to minutes. */
  securityGroupReleaseMs: number;
}

export const QUICK: AwsTimes = {
  provisioningMs: 0,
  visibleAfterMs: 0,
  initialMs: 0,
  drainScale: 0,
  targetGroupReleaseMs: 0,
  securityGroupReleaseMs: 0,
};

/**
 * Quotas of an account and region. Without a limit unless a test sets one.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
 */
export interface AwsQuotas {
  loadBalancers: number;
  targetGroups: number;
}

export type TargetHealth = 'healthy' | 'unhealthy';
