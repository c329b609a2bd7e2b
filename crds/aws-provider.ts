import { z } from 'zod';
import { withRules } from './rules.ts';

const text = (max: number) => z.string().min(1).max(max);
const settings = (what: string) =>
  z
    .record(z.string(), z.string().max(1024).describe('The value, as AWS writes it.'))
    .meta({ maxProperties: 64 })
    .describe(what);
const seconds = (min: number, max: number) => z.int().min(min).max(max);

const address = () =>
  withRules(text(1024), {
    rule: "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",
    message:
      'an endpoint is a URL that begins with https://, or http://: https://ec2.eu-west-1.amazonaws.com',
    reason: 'FieldValueInvalid',
  });

const healthCheckSchema = z
  .object({
    protocol: z
      .enum(['TCP', 'HTTP', 'HTTPS'])
      .optional()
      .describe('How targets are asked; without it HTTP to nodes and TCP to pods.'),
    port: withRules(text(12), {
      rule: "self == 'traffic-port' || self.matches('^[1-9][0-9]{0,4}$')",
      message: 'a health check port is a number, or traffic-port',
      reason: 'FieldValueInvalid',
    })
      .optional()
      .describe(
        "The port that is asked, or traffic-port. Without it: healthCheckNodePort where the Service has one, 10256 of nodes otherwise (kube-proxy's health port, and the agent's in its place), traffic-port of pods.",
      ),
    path: text(1024)
      .optional()
      .describe('Asked for with HTTP and HTTPS; without it /healthz of nodes, / of pods.'),
    successCodes: text(64).optional().describe('HTTP codes that are good, such as 200-399.'),
    intervalSeconds: seconds(5, 300).optional().describe('Between two checks of a target; 10 without it.'),
    timeoutSeconds: seconds(2, 120).optional().describe('How long an answer may take; 6 without it.'),
    healthyThreshold: z
      .int()
      .min(2)
      .max(10)
      .optional()
      .describe('Good answers in a row until healthy; 2 without it.'),
    unhealthyThreshold: z
      .int()
      .min(2)
      .max(10)
      .optional()
      .describe('Bad answers in a row until unhealthy; 2 without it.'),
  })
  .describe('How AWS finds out which targets answer.');

const tlsSchema = z
  .object({
    certificateARNs: z
      .array(text(2048).describe('The ARN of a certificate in ACM or IAM.'))
      .min(1)
      .max(25)
      .optional()
      .describe(
        'Certificates; the first is the default one. Where neither provider nor Service has any, no TLS is ended.',
      ),
    ports: z
      .array(text(63).describe('The name or the number of a port.'))
      .max(50)
      .optional()
      .describe('Ports of the Service that end TLS; without it, and with *, all of TCP.'),
    policy: text(256).optional().describe("AWS' security policy of TLS listeners."),
    alpnPolicy: z
      .enum(['HTTP1Only', 'HTTP2Only', 'HTTP2Optional', 'HTTP2Preferred', 'None'])
      .optional()
      .describe('ALPN, as AWS names it.'),
    backendProtocol: z
      .enum(['TCP', 'TLS'])
      .optional()
      .describe('TLS: spoken to targets as well. TCP without it.'),
  })
  .describe('TLS ended by the load balancer.');

/** What may be said of a load balancer by its provider, and by annotations of its Service: the latter wins, field by field. */
export const awsOptionsSchema = z
  .object({
    name: withRules(text(32), {
      rule: "self.matches('^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$') && !self.startsWith('internal-')",
      message: "a load balancer's name has letters, digits and dashes, and doesn't begin with internal-",
      reason: 'FieldValueInvalid',
    })
      .optional()
      .describe('The name at AWS; without it, one is made that no other has.'),
    subnets: z
      .array(text(255).describe("A subnet's id, or its tag Name."))
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Subnets, one a zone. Without it, those tagged kubernetes.io/role/elb, or kubernetes.io/role/internal-elb for internal ones.',
      ),
    elasticIPs: z
      .array(text(64).describe('An allocation id, eipalloc-...'))
      .max(16)
      .optional()
      .describe('Elastic IPs for a public load balancer, one a subnet.'),
    privateAddresses: z
      .array(text(45).describe('An IPv4 address within a subnet.'))
      .max(16)
      .optional()
      .describe('Private addresses for an internal one, each within another subnet.'),
    ipv6Addresses: z
      .array(text(45).describe('An IPv6 address within a subnet.'))
      .max(16)
      .optional()
      .describe('IPv6 addresses of a dualstack one, each within another subnet.'),
    ipAddressType: z
      .enum(['ipv4', 'dualstack'])
      .optional()
      .describe("Without it, as the Service's ipFamilies."),
    securityGroups: z
      .array(text(64).describe("A security group's id, sg-..."))
      .max(5)
      .optional()
      .describe('Security groups of the load balancer in the place of one that is managed.'),
    manageSecurityGroup: z
      .boolean()
      .optional()
      .describe(
        'false: no security group is made and no rule of the nodes changed. true without it, unless securityGroups are given.',
      ),
    manageBackendRules: z
      .boolean()
      .optional()
      .describe("Whether rules of the nodes' group are managed; as manageSecurityGroup without it."),
    attributes: settings(
      'Attributes of the load balancer as AWS names them: deletion_protection.enabled, access_logs.s3.enabled, load_balancing.cross_zone.enabled, ...',
    ).optional(),
    targetGroupAttributes: settings(
      'Attributes of target groups as AWS names them: preserve_client_ip.enabled, proxy_protocol_v2.enabled, ...',
    ).optional(),
    listenerAttributes: settings(
      'Attributes of listeners as AWS names them: tcp.idle_timeout.seconds.',
    ).optional(),
    healthCheck: healthCheckSchema.optional(),
    tls: tlsSchema.optional(),
    tags: settings('Tags of all that is made, beside our own.').optional(),
    targetNodeLabels: settings(
      'Labels of the nodes that get traffic, beside targets.nodeSelector.',
    ).optional(),
    adopt: z
      .object({
        arn: text(2048).describe('The ARN of a network load balancer that is there already.'),
        confirmed: text(64).optional().describe('What the condition shows, once it may be changed.'),
      })
      .optional()
      .describe('A load balancer to take over.'),
  })
  .describe('How its network load balancer is made.');

/** A cloud load balancer: AWS Network Load Balancer. */
export const awsSchema = awsOptionsSchema
  .omit({ name: true, adopt: true })
  .extend({
    region: withRules(text(32), {
      rule: "self.matches('^[a-z]{2}(-[a-z]+)+-[0-9]+$')",
      message: 'a region looks like eu-west-1',
      reason: 'FieldValueInvalid',
    }).describe('The region, such as eu-west-1.'),
    vpcID: text(64)
      .optional()
      .describe('The VPC in which tagged subnets are looked for; needed where several have them.'),
    clusterName: text(100)
      .optional()
      .describe(
        'Subnets and security groups are preferred that are tagged kubernetes.io/cluster/<name> with owned or shared.',
      ),
    endpoint: address()
      .optional()
      .describe('Where all APIs are, if not at AWS: a proxy, or a stand-in for tests.'),
    endpoints: z
      .object({
        elbv2: address().optional().describe('Of Elastic Load Balancing.'),
        ec2: address().optional().describe('Of EC2.'),
        sts: address()
          .optional()
          .describe('Of STS, which is asked for the role to assume, and for a web identity.'),
      })
      .optional()
      .describe(
        'Where the API of a service is, such as a private endpoint (AWS PrivateLink), of which each service has its own. A service without one is at endpoint, or at AWS.',
      ),
    credentials: z
      .object({
        secretName: text(253)
          .optional()
          .describe(
            "A Secret in Fairlead's namespace with aws_access_key_id, aws_secret_access_key and, if temporary, aws_session_token. Without it, the default chain: environment, web identity, pod identity, instance profile.",
          ),
        assumeRole: z
          .object({
            arn: text(2048).describe('The ARN of the role.'),
            externalID: text(1224).optional().describe('What the trust policy of the role asks for.'),
            sessionName: text(64).optional().describe('Shown in CloudTrail; fairlead without it.'),
          })
          .optional()
          .describe('A role to assume with these credentials.'),
      })
      .optional()
      .describe('Who calls AWS; without it, the default chain.'),
    callRatePercent: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        "How much of AWS' default request rates may be used; 100 without it. Less where others share the account, more where AWS raised them; the same in all providers of an account.",
      ),
    timeoutSeconds: seconds(1, 300).optional().describe('How long one call may take; 10 without it.'),
  })
  .describe('An AWS Network Load Balancer for each Service, or for those that share an address.');

export type AwsOptions = z.infer<typeof awsOptionsSchema>;
export type AwsConfig = z.infer<typeof awsSchema>;
