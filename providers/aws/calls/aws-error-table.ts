import type { ErrorClass } from '../../../kube/errors.ts';

/** What was called when it failed. */
export interface FailedCall {
  operation: string;
  /** `elasticloadbalancing:CreateLoadBalancer`. */
  action: string;
  /** AWS' own words. */
  message: string;
}

export interface KnownError {
  class: ErrorClass;
  /** A sentence on what is wrong and who can mend it; without it AWS' words are good enough. */
  say?: (call: FailedCall) => string;
  /** What is mended at AWS is heard of by nobody: tried again after this. */
  retryAfterSeconds?: number;
}

/** How long something that only a person can mend at AWS is left alone. */
const FOR_PEOPLE_SECONDS = 60;
const SOON_SECONDS = 5;

const quota = (what: string, where = 'for this region'): KnownError => ({
  class: 'Transient',
  retryAfterSeconds: FOR_PEOPLE_SECONDS,
  say: () =>
    `The quota of ${what} is used up: ask AWS for more ${where} (Service Quotas), or take some away.`,
});

const missing = (what: string): KnownError => ({
  class: 'Transient',
  retryAfterSeconds: FOR_PEOPLE_SECONDS,
  say: ({ message }) => `AWS knows no such ${what}: ${message}`,
});

const gone = (what: string): KnownError => ({
  class: 'NotFound',
  say: ({ message }) => `The ${what} isn't there any more: ${message}`,
});

const credentials = (what: string): KnownError => ({
  class: 'Transient',
  retryAfterSeconds: FOR_PEOPLE_SECONDS,
  say: ({ message }) => `AWS refuses the credentials (${what}): ${message}`,
});

const refusedConfiguration: KnownError = {
  class: 'Rejected',
  say: ({ operation, message }) => `AWS refuses ${operation} as it is asked for: ${message}`,
};

const denied: KnownError = { class: 'Transient', retryAfterSeconds: FOR_PEOPLE_SECONDS, say: sayDenied };

const throttled: KnownError = {
  class: 'Throttled',
  say: ({ operation }) => `AWS throttles ${operation}: the account calls this region too often.`,
};

/**
 * By AWS' code, without the `Exception` that SDKs put behind some of them. From the errors of each operation in the API
 * references of ELBv2 (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html) and EC2
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
 */
export const KNOWN_ERRORS: Readonly<Record<string, KnownError>> = {
  Throttling: throttled,
  Throttled: throttled,
  RequestThrottled: throttled,
  RequestLimitExceeded: throttled,
  TooManyRequests: throttled,
  PriorRequestNotComplete: throttled,
  EC2Throttled: throttled,
  SlowDown: throttled,

  AccessDenied: denied,
  UnauthorizedOperation: denied,
  OptInRequired: {
    class: 'Transient',
    retryAfterSeconds: FOR_PEOPLE_SECONDS,
    say: () =>
      'The account may not use this service in this region: opt in to the region, or subscribe to the service.',
  },

  InvalidClientTokenId: credentials('the access key is unknown'),
  UnrecognizedClient: credentials('the access key is unknown'),
  AuthFailure: credentials('the access key or its signature is wrong'),
  SignatureDoesNotMatch: credentials('the secret key is wrong'),
  IncompleteSignature: credentials('the access key is malformed'),
  MissingAuthenticationToken: credentials('there are none'),
  ExpiredToken: credentials('the session token is over'),
  RequestExpired: credentials("the session token is over, or this machine's clock is wrong"),

  TooManyLoadBalancers: quota('load balancers'),
  TooManyTargetGroups: quota('target groups'),
  TooManyListeners: quota('listeners of one load balancer', 'where it can be raised'),
  TooManyTargets: quota('targets of one target group or load balancer'),
  TooManyRegistrationsForTargetId: quota('target groups that one target may be in'),
  TooManyUniqueTargetGroupsPerLoadBalancer: quota('target groups of one load balancer'),
  TargetGroupAssociationLimit: quota('load balancers of one target group'),
  TooManyCertificates: quota('certificates of one load balancer'),
  TooManyTags: quota('tags of one thing', 'is impossible: there are 50 at most'),
  SecurityGroupLimitExceeded: quota('security groups of the VPC'),
  RulesPerSecurityGroupLimitExceeded: quota('rules of one security group'),
  SecurityGroupsPerInterfaceLimitExceeded: quota('security groups of one load balancer'),
  AddressLimitExceeded: quota('elastic IPs'),
  ResourceLimitExceeded: quota('things of this kind'),

  InvalidSubnet: { class: 'Transient', retryAfterSeconds: FOR_PEOPLE_SECONDS, say: saySubnet },
  SubnetNotFound: missing('subnet'),
  'InvalidSubnetID.NotFound': missing('subnet'),
  InvalidSecurityGroup: missing('security group'),
  AvailabilityZoneNotSupported: refusedConfiguration,
  AllocationIdNotFound: missing('elastic IP'),
  'InvalidAllocationID.NotFound': missing('elastic IP'),
  CertificateNotFound: missing('certificate in ACM or IAM of this region'),
  SSLPolicyNotFound: missing('security policy of TLS'),
  ALPNPolicyNotSupported: refusedConfiguration,
  'InvalidInstanceID.NotFound': missing('instance'),
  InvalidTarget: {
    class: 'Transient',
    retryAfterSeconds: SOON_SECONDS,
    say: ({ message }) => `AWS refuses a target; it may be stopped, or in another VPC: ${message}`,
  },
  'InvalidVpcID.NotFound': missing('VPC'),
  InvalidScheme: refusedConfiguration,
  InvalidConfigurationRequest: refusedConfiguration,
  IncompatibleProtocols: refusedConfiguration,
  UnsupportedProtocol: refusedConfiguration,
  ValidationError: refusedConfiguration,
  InvalidParameterValue: refusedConfiguration,
  InvalidParameterCombination: refusedConfiguration,
  'InvalidPermission.Malformed': refusedConfiguration,
  OperationNotPermitted: {
    class: 'Transient',
    retryAfterSeconds: FOR_PEOPLE_SECONDS,
    say: ({ operation, message }) =>
      message.includes('deletion protection') || message.includes('Deletion Protection')
        ? 'Deletion protection of the load balancer is on: turn it off at AWS, or with the attribute deletion_protection.enabled.'
        : `AWS doesn't permit ${operation} at present: ${message}`,
  },

  ResourceInUse: {
    class: 'Transient',
    retryAfterSeconds: SOON_SECONDS,
    say: ({ message }) =>
      `Something still uses it; that ends once a load balancer is gone wholly: ${message}`,
  },
  DependencyViolation: {
    class: 'Transient',
    retryAfterSeconds: SOON_SECONDS,
    say: ({ message }) =>
      `A network interface or another group still uses the security group; that ends once the load balancer is gone wholly: ${message}`,
  },

  LoadBalancerNotFound: gone('load balancer'),
  TargetGroupNotFound: gone('target group'),
  ListenerNotFound: gone('listener'),
  'InvalidGroup.NotFound': gone('security group'),
  'InvalidGroupId.NotFound': gone('security group'),
  'InvalidPermission.NotFound': gone('rule of the security group'),
  DuplicateLoadBalancerName: { class: 'Conflict' },
  DuplicateTargetGroupName: { class: 'Conflict' },
  DuplicateListener: { class: 'Conflict' },
  'InvalidGroup.Duplicate': { class: 'Conflict' },
  'InvalidPermission.Duplicate': { class: 'Conflict' },
};

/**
 * `... is not authorized to perform: elasticloadbalancing:CreateLoadBalancer on resource: ...`. The action that is missing
 * may be another than the one called: CreateLoadBalancer with tags needs AddTags.
 */
function sayDenied({ action, message }: FailedCall): string {
  const named = /not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)/.exec(message)?.[1] ?? action;
  const by = /explicit deny/.test(message) ? 'is denied to' : 'is missing from';
  return `${named} ${by} the IAM policy of the credentials that Fairlead has: docs/providers/aws.md has the whole policy. ${message}`;
}

/** `Not enough IP space available in subnet-1. ELB requires at least 8 free IP addresses in each subnet.` */
function saySubnet({ message }: FailedCall): string {
  const full = /subnet-[0-9a-z]+/.exec(message)?.[0];
  if (full === undefined || !/IP space|free IP|free address/i.test(message)) {
    return `AWS can't use a subnet: ${message}`;
  }
  const needed = /at least (\d+)/.exec(message)?.[1] ?? '8';
  return `Subnet ${full} has too few free addresses, ${needed} are needed: free some, or name other subnets.`;
}
