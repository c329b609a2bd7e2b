import { z } from 'zod';
import { labelSelectorSchema } from './common.ts';
import { noDuplicates, withRules } from './rules.ts';

const seconds = (min: number, max: number) => z.int().min(min).max(max);
const connections = z.int().min(1).max(2_147_483_647);

/** The full path of something on the device that people made there: `/Common/name`. */
const devicePath = withRules(z.string().min(3).max(255), {
  rule: "self.matches('^/[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)+$')",
  message: 'name what is on the device by its full path, such as /Common/name',
  reason: 'FieldValueInvalid',
});

const vlansSchema = withRules(
  z.array(devicePath.describe('The full path of a VLAN, such as /Common/external.')).min(1).max(32),
  noDuplicates('VLAN'),
);

const devicesSchema = withRules(
  z
    .array(
      withRules(z.string().min(1).max(255), {
        rule: "self.matches('^(\\\\[[0-9a-fA-F:.]+\\\\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$')",
        message: 'a device is a host name or an address, and a port if it is not 443; IPv6 in brackets',
        reason: 'FieldValueInvalid',
      }).describe('The management address: host, or host:port.'),
    )
    .min(1)
    .max(4),
  noDuplicates('device'),
);

const tlsSchema = withRules(
  z.object({
    caSecretName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("A Secret in Fairlead's namespace with ca.crt, the authority that signed the certificate."),
    fingerprints: z
      .array(
        withRules(z.string().min(64).max(95), {
          rule: "self.matches('^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$')",
          message: 'a fingerprint is SHA-256 in hex, with or without colons',
          reason: 'FieldValueInvalid',
        }).describe('SHA-256 of the certificate.'),
      )
      .min(1)
      .max(8)
      .optional()
      .describe(
        "The device's own certificate, one of these: `openssl x509 -noout -fingerprint -sha256` shows it. No authority is asked then.",
      ),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('The name that the certificate is for, where it is another than that of the device.'),
  }),
  {
    rule: '!(has(self.caSecretName) && has(self.fingerprints))',
    message: 'either an authority or fingerprints: a pinned certificate needs no authority',
    reason: 'FieldValueInvalid',
  },
);

const snatSchema = withRules(
  z.object({
    mode: z
      .enum(['AutoMap', 'None', 'Pool'])
      .default('AutoMap')
      .describe(
        "AutoMap: targets see an address of the device. None: they see the client's, and must answer through the device. Pool: an address of `pool`.",
      ),
    pool: devicePath.optional().describe('The full path of a SNAT pool of the device.'),
  }),
  {
    rule: "has(self.pool) == (has(self.mode) && self.mode == 'Pool')",
    message: 'mode Pool needs a pool, and no other mode has one',
    reason: 'FieldValueInvalid',
  },
);

const healthCheckSchema = withRules(
  z.object({
    port: z
      .int()
      .min(1)
      .max(65535)
      .optional()
      .describe(
        "The port of the nodes that is asked for /healthz; 10256 without it, kube-proxy's health port and the agent's in its place. A healthCheckNodePort goes before it.",
      ),
    intervalSeconds: seconds(1, 300).default(5).describe('Between two checks of a target.'),
    timeoutSeconds: seconds(2, 900)
      .default(16)
      .describe(
        'After this long without a good answer a target is down; F5 advises three intervals and one second.',
      ),
  }),
  {
    rule: 'self.timeoutSeconds > self.intervalSeconds',
    message: 'timeoutSeconds must be more than intervalSeconds',
    reason: 'FieldValueInvalid',
  },
);

const bigipFieldsSchema = z.object({
  devices: devicesSchema.describe(
    'The management addresses: of one device, or of both units of a pair. The active one is written to.',
  ),
  credentials: z
    .object({
      secretName: z
        .string()
        .min(1)
        .max(253)
        .describe("A Secret in Fairlead's namespace with username and password."),
      loginProvider: z
        .string()
        .min(1)
        .max(253)
        .default('tmos')
        .describe('Who checks them: tmos is whatever the device uses itself.'),
    })
    .describe('Who writes to the device.'),
  tls: tlsSchema
    .optional()
    .describe("How the device is known; without it, by the authorities of Fairlead's machine."),
  tenant: withRules(z.string().min(1).max(63), {
    rule: "self.matches('^[A-Za-z][0-9A-Za-z_]*$') && self != 'Common'",
    message: 'a tenant has letters, digits and underscores, begins with a letter, and is not Common',
    reason: 'FieldValueInvalid',
  })
    .optional()
    .describe(
      'The AS3 tenant, which is a partition of the device: ours alone. Without it, fairlead_ and the beginning of the id of the cluster.',
    ),
  shareNodes: z
    .boolean()
    .default(false)
    .describe(
      "true: targets are nodes in /Common, which other tenants may have, too; all tenants with the same targets need it. false: they are in the tenant's own partition. Can't be changed.",
    ),
  declarations: z
    .enum(['Auto', 'PerApplication', 'WholeTenant'])
    .default('Auto')
    .describe(
      'How much one change declares: the one application, or all of the tenant. Auto: per application where AS3 has that and it is allowed.',
    ),
  deviceGroup: withRules(z.string().min(1).max(255), {
    rule: "self.matches('^(/Common/)?[A-Za-z0-9_.-]+$')",
    message: 'a device group is named as on the device, such as failover-group',
    reason: 'FieldValueInvalid',
  })
    .optional()
    .describe(
      'The device group that changes are synchronised to. Without it nothing is: for groups that do so by themselves.',
    ),
  virtualServers: z
    .enum(['FastL4', 'Standard'])
    .default('FastL4')
    .describe('FastL4: packets are forwarded. Standard: the device ends TCP, UDP and SCTP, by profiles.'),
  profiles: z
    .object({
      fastL4: devicePath.optional().describe('The full path of a FastL4 profile.'),
      tcp: devicePath.optional().describe('The full path of a TCP profile.'),
      udp: devicePath.optional().describe('The full path of a UDP profile.'),
      sctp: devicePath.optional().describe('The full path of an SCTP profile.'),
    })
    .optional()
    .describe("Profiles of the device; without one, AS3's own choice."),
  iRules: z
    .array(devicePath.describe('The full path of an iRule.'))
    .max(16)
    .optional()
    .describe('iRules of the device for every virtual server, in this order.'),
  vlans: z
    .object({
      public: vlansSchema.optional().describe('Where virtual servers of scheme Public listen.'),
      internal: vlansSchema.optional().describe('Where virtual servers of scheme Internal listen.'),
    })
    .optional()
    .describe('VLANs to listen on; without it, all.'),
  snat: snatSchema
    .default({ mode: 'AutoMap' })
    .describe('Which address targets see as the source of connections.'),
  balance: z
    .enum([
      'round-robin',
      'least-connections-member',
      'least-connections-node',
      'fastest-node',
      'observed-member',
      'predictive-member',
    ])
    .default('round-robin')
    .describe('How targets are chosen, by the names of AS3; sessionAffinity ClientIP goes by the client.'),
  limits: z
    .object({
      connectionsPerVirtualServer: connections
        .optional()
        .describe('Connections at once to one port of a Service; without it, no limit.'),
      connectionsPerTarget: connections
        .optional()
        .describe('Connections at once to one target; without it, no limit.'),
    })
    .optional()
    .describe('How many connections there may be.'),
  priorityGroups: z
    .object({
      groups: z
        .array(
          z
            .object({
              nodeSelector: labelSelectorSchema.describe('Nodes of this group, by their labels.'),
              priority: z.int().min(1).max(65535).describe('The higher one is used first.'),
            })
            .describe('Nodes of one priority.'),
        )
        .min(1)
        .max(8)
        .describe('The first one whose selector fits counts; nodes of none have priority 0.'),
      minimumActive: z
        .int()
        .min(1)
        .max(65535)
        .default(1)
        .describe('With fewer targets of a group up, the next group is used too.'),
    })
    .optional()
    .describe('Nodes that get traffic before others do; of no effect in mode Pod.'),
  healthCheck: healthCheckSchema
    .default({ intervalSeconds: 5, timeoutSeconds: 16 })
    .describe('How the device finds out which targets answer.'),
  timeouts: z
    .object({
      callSeconds: seconds(1, 300).default(30).describe('How long one call may take.'),
      declarationSeconds: seconds(10, 3600)
        .default(300)
        .describe('How long the device may work on one declaration.'),
    })
    .default({ callSeconds: 30, declarationSeconds: 300 })
    .describe('When the device is given up.'),
});

/** F5 BIG-IP with Application Services 3 (AS3), over iControl REST. */
export const bigipSchema = withRules(
  bigipFieldsSchema,
  {
    rule: "(has(self.tenant) ? self.tenant : '') == (has(oldSelf.tenant) ? oldSelf.tenant : '')",
    message: "the tenant can't be changed: make another LoadBalancerProvider and move the Services to it",
    reason: 'FieldValueForbidden',
  },
  {
    // A node is on the device once: it can't be in both partitions while Services move one after the other.
    rule: '(has(self.shareNodes) && self.shareNodes) == (has(oldSelf.shareNodes) && oldSelf.shareNodes)',
    message: "shareNodes can't be changed: make the LoadBalancerProvider anew, with its Services",
    reason: 'FieldValueForbidden',
  },
).describe(
  'Virtual servers on an F5 BIG-IP, by AS3 declarations in a tenant of their own. Addresses come from AddressPools.',
);

export type BigipConfig = z.infer<typeof bigipSchema>;
