import { z } from 'zod';
import { labelSelectorSchema } from './common.ts';
import { withRules } from './rules.ts';

const text = (max: number) => z.string().min(1).max(max);
const seconds = (min: number, max: number) => z.int().min(min).max(max);

/** HAProxy on machines of one's own, each with `fairlead edge` beside it. */
export const haproxySchema = withRules(
  z.object({
    interface: withRules(z.string().min(1).max(15), {
      rule: "self.matches('^[^/:[:space:]]+$') && self != '.' && self != '..'",
      message: "an interface's name has no blank, slash or colon: see `ip link` on the edge",
      reason: 'FieldValueInvalid',
    })
      .optional()
      .describe(
        'The interface of the edge that claimed addresses are added to, and taken off again. Without it, addresses are left to others: HAProxy listens on them, and takes what is routed to it.',
      ),
    vrrp: z
      .object({
        virtualRouterID: z
          .int()
          .min(1)
          .max(255)
          .describe('The virtual router of these edges, which nobody else on that network has.'),
      })
      .optional()
      .describe(
        'Edges of this provider share its addresses by VRRP: keepalived beside each adds them to the interface of one edge at a time, and another takes over when that is gone. Without it, each edge adds them.',
      ),
    balance: z
      .enum(['roundrobin', 'leastconn', 'random'])
      .default('roundrobin')
      .describe(
        'How targets are chosen, by the names of HAProxy; sessionAffinity ClientIP goes by the client.',
      ),
    weights: z
      .array(
        z
          .object({
            nodeSelector: labelSelectorSchema.describe('Nodes that have it, by their labels.'),
            weight: z
              .int()
              .min(0)
              .max(256)
              .describe('How much they get of what one node without a weight gets; 0: no new connections.'),
          })
          .describe('Nodes of one weight.'),
      )
      .max(16)
      .optional()
      .describe(
        'Nodes that get more than others, or nothing: the first one whose selector fits counts, and nodes of none have 1. With externalTrafficPolicy Local it is times the number of pods on the node. Of no effect in mode Pod.',
      ),
    timeouts: z
      .object({
        connectSeconds: seconds(1, 300).default(3).describe('How long a target may take to accept.'),
        clientSeconds: seconds(1, 86400).default(3600).describe('How long a client may be silent.'),
        serverSeconds: seconds(1, 86400).default(3600).describe('How long a target may be silent.'),
      })
      .default({ connectSeconds: 3, clientSeconds: 3600, serverSeconds: 3600 })
      .describe('When connections are given up.'),
    hardStopAfterSeconds: seconds(1, 604_800)
      .default(86_400)
      .describe(
        'How long connections go on that are open when HAProxy reloads. Each reload leaves a process behind, which ends with its last connection, or after this time with all that it has.',
      ),
    limits: z
      .object({
        connections: z
          .int()
          .min(1)
          .max(10_000_000)
          .optional()
          .describe('Connections at once on an edge; without it, as many as HAProxy finds room for.'),
        connectionsPerFrontend: z
          .int()
          .min(1)
          .max(10_000_000)
          .optional()
          .describe("Connections at once to one port of a Service; without it, the edge's own limit."),
        connectionsPerTarget: z
          .int()
          .min(1)
          .max(10_000_000)
          .optional()
          .describe('Connections at once to one target, the rest waits; without it, no limit.'),
      })
      .optional()
      .describe('How many connections there may be; without it, no limit but that of the machine.'),
    healthCheck: z
      .object({
        port: z
          .int()
          .min(1)
          .max(65535)
          .optional()
          .describe(
            "The port of the nodes that is asked for /healthz, most often 10256, kube-proxy's health port and the agent's in its place. Without it a connection to the target itself has to be accepted; aws and bigip ask 10256 then. A healthCheckNodePort goes before it.",
          ),
        intervalSeconds: seconds(1, 300).default(2).describe('Between two checks of a target.'),
        healthyThreshold: z.int().min(1).max(10).default(2).describe('Good answers in a row until healthy.'),
        unhealthyThreshold: z
          .int()
          .min(1)
          .max(10)
          .default(2)
          .describe('Bad answers in a row until unhealthy.'),
      })
      .default({ intervalSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 })
      .describe('How HAProxy finds out which targets answer.'),
    proxyProtocol: z
      .enum(['None', 'V1', 'V2'])
      .default('None')
      .describe("Whether targets are told the client's address, which they must expect then."),
    tls: z
      .object({
        minimumVersion: z
          .enum(['TLSv1.2', 'TLSv1.3'])
          .default('TLSv1.2')
          .describe('The oldest version that clients may speak.'),
      })
      .default({ minimumVersion: 'TLSv1.2' })
      .describe('How TLS is ended, for Services that name a certificate by fairlead.dev/tls-secret.'),
  }),
  {
    rule: '!has(self.vrrp) || has(self.interface)',
    message: 'vrrp needs the interface that addresses are added to: set interface too',
    reason: 'FieldValueInvalid',
  },
).describe(
  'HAProxy on machines outside of the nodes, each with `fairlead edge --provider <name>` beside it. TCP only; addresses come from AddressPools.',
);

/** What a Service says to HAProxy by its annotations: LoadBalancer.spec.haproxy. */
export const haproxyOptionsSchema = z
  .object({
    tls: z
      .object({
        secretNames: z
          .array(text(253).describe("A Secret of the Service's namespace with tls.crt and tls.key."))
          .min(1)
          .max(16)
          .describe('Certificates, chosen by the name that a client asks for; the first is the default one.'),
        ports: z
          .array(text(63).describe('The name or the number of a port.'))
          .min(1)
          .max(50)
          .optional()
          .describe('TCP ports of the Service that end TLS; without it, all.'),
      })
      .optional()
      .describe('TLS ended by the load balancer.'),
  })
  .describe('What the Service asks of HAProxy.');

/** What one edge says of one load balancer: an entry of LoadBalancer.status.edges. */
export const edgeReportSchema = z
  .object({
    name: z.string().min(1).max(63).describe('The name of the edge.'),
    observedGeneration: z.int().min(0).optional().describe('The generation that it has taken in.'),
    serving: z.boolean().describe('Whether its HAProxy listens for this load balancer.'),
    addresses: z
      .array(z.string().max(45).describe('An address.'))
      .max(16)
      .optional()
      .describe('Where it listens.'),
    haproxy: z.string().max(64).optional().describe('The version of its HAProxy.'),
    version: z.string().max(64).optional().describe('Its own version.'),
    targets: z
      .object({
        desired: z.int().min(0).describe('How many there ought to be.'),
        healthy: z.int().min(0).describe('How many answer its health checks.'),
        draining: z
          .int()
          .min(1)
          .optional()
          .describe('How many others leave, whose connections go on; absent: none.'),
      })
      .optional()
      .describe('Counts of targets.'),
    certificates: z
      .array(
        z
          .object({
            secretName: text(253).describe('The Secret that it is from.'),
            notAfter: z.string().max(64).meta({ format: 'date-time' }).describe('When it expires.'),
          })
          .describe('A certificate.'),
      )
      .max(16)
      .optional()
      .describe('The certificates that it serves.'),
    reason: z.string().max(128).optional().describe('What is wrong, in one word; absent: nothing.'),
    message: z.string().max(4096).optional().describe('What is wrong, and what to do about it.'),
  })
  .describe('What one edge says of it.');

export type HaproxyConfig = z.infer<typeof haproxySchema>;
export type EdgeReport = z.infer<typeof edgeReportSchema>;
export type HaproxyOptions = z.infer<typeof haproxyOptionsSchema>;
