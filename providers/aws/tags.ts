/**
 * The tags that everything of ours has at AWS from the call on that makes it. By them alone things are known as ours and
 * found again; what lacks them, or names another cluster, is never changed or deleted.
 */
export const OWNER_TAGS = {
  /** The cluster's id. */
  cluster: 'fairlead.dev/cluster',
  /** `<namespace>/<LoadBalancer>`, or `<namespace>/<shared-address>.<provider>:shared`; of the shared group, the provider. */
  stack: 'fairlead.dev/stack',
  /** Of listeners and target groups: `<namespace>/<LoadBalancer>`, which of those that share the stack. */
  member: 'fairlead.dev/load-balancer',
  /** Of the Service; of what is shared, the one that it was made for. */
  serviceUid: 'fairlead.dev/service-uid',
  /** `LoadBalancer`, `SecurityGroup`, or the key of a listener or target group. */
  resource: 'fairlead.dev/resource',
  /** Of load balancers: which of several that take each other's place. */
  variant: 'fairlead.dev/variant',
  /** Of load balancers that somebody else made: what of theirs is on it stays. */
  adopted: 'fairlead.dev/adopted',
  /** Which of the other tags people asked for: see `withRecord`. */
  tags: 'fairlead.dev/tags',
} as const;

/** The resource of the security group that all load balancers of a provider and VPC share, which nodes let in. */
export const SHARED_GROUP = 'SharedSecurityGroup';
