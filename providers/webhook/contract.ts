import { isIP } from 'node:net';
import { z } from 'zod';
import {
  ipFamilySchema,
  portNumber,
  protocolSchema,
  schemeSchema,
  targetsModeSchema,
} from '../../crds/common.ts';

/** In every body, in both directions. What breaks servers gets another version; new optional fields don't. */
export const CONTRACT_VERSION = 'provider.fairlead.dev/v1';
/** The reason with which a server refuses a version that it doesn't speak. */
export const UNSUPPORTED_VERSION = 'UnsupportedVersion';
/** A longer answer isn't read to its end, in bytes. */
export const LONGEST_ANSWER = 4 * 1024 * 1024;

const version = z.literal(CONTRACT_VERSION).describe('The version of this contract.');
const text = (max: number) => z.string().min(1).max(max);

export const findingSchema = z
  .object({
    reason: z
      .string()
      .max(128)
      .regex(/^[A-Z][A-Za-z0-9]*$/, 'is no CamelCase word')
      .describe('One CamelCase word, for conditions, events and metrics.'),
    message: text(4096).describe('Tells a person what is wrong, and what to do.'),
  })
  .describe('What is wrong.');

export const idSchema = z
  .object({
    clusterId: text(253).describe('The cluster of Fairlead. What is of another one is never touched.'),
    namespace: text(253).describe('The namespace of the Service.'),
    name: text(253).describe('`<service>.<LoadBalancerProvider>`.'),
    serviceUid: z
      .string()
      .max(64)
      .describe("The Service's uid: one that was deleted and made again under its name has another."),
  })
  .describe('Which load balancer: clusterId, namespace and name are its key, serviceUid says whose it is.');

export const providerSchema = z
  .object({
    name: text(63).describe('The name of the LoadBalancerProvider.'),
    parameters: z.record(z.string(), z.string()).describe('spec.webhook.parameters.'),
    addresses: z
      .enum(['Server', 'Pools'])
      .describe('Who chooses addresses: the server, or Fairlead, which says them in desired.'),
  })
  .describe('Who asks.');

const targetSchema = z
  .object({
    name: z.string().optional().describe('The node or the pod.'),
    addresses: z.array(z.string()).describe('Its addresses, those of one family or of both.'),
    port: portNumber.describe('The port there.'),
    draining: z.boolean().describe('true: gets no new connections, and goes after drainSeconds.'),
    zone: z.string().optional().describe('Its zone.'),
    providerID: z.string().optional().describe('Of a node: spec.providerID.'),
  })
  .describe('Who gets the traffic.');

const frontendSchema = z
  .object({
    name: z.string().optional().describe("The name of the Service's port."),
    protocol: protocolSchema.describe('TCP, UDP or SCTP.'),
    port: portNumber.describe('The port that clients use.'),
    appProtocol: z.string().optional().describe('What is spoken there, as the Service says.'),
    targets: z.array(targetSchema).describe('Who gets its traffic; may be empty.'),
  })
  .describe('One port to listen on.');

export const desiredSchema = z
  .object({
    scheme: schemeSchema.describe('Whether it faces the public or stays inside.'),
    ipFamilies: z
      .array(ipFamilySchema)
      .describe('The families that the Service has; empty: it says nothing.'),
    addresses: z
      .array(z.object({ ip: z.string().describe('An IPv4 or IPv6 address.') }))
      .optional()
      .describe(
        'Where to listen, with addresses: Pools; ingress names those where it does. Of a move, the new and the old one. Absent: the server chooses.',
      ),
    sharedAddress: z
      .string()
      .optional()
      .describe(
        "Load balancers of one namespace with the same key share their addresses, as long as their ports don't clash. Refuse it where that isn't possible.",
      ),
    frontends: z.array(frontendSchema).describe('What it listens on.'),
    targetsMode: targetsModeSchema.describe('Whether targets are ports of nodes, or pods.'),
    drainSeconds: z.int().describe('How long a leaving target keeps its connections.'),
    externalTrafficPolicy: z
      .enum(['Cluster', 'Local'])
      .describe('Local: only nodes with an endpoint answer; healthCheckNodePort tells which.'),
    healthCheckNodePort: portNumber.optional().describe('Asked over HTTP: 200 of nodes with an endpoint.'),
    healthCheckPath: z.string().optional().describe('What health checks of targets ask for over HTTP.'),
    sourceRanges: z.array(z.string()).optional().describe('CIDRs of who may connect; absent: everybody.'),
    sessionAffinitySeconds: z.int().optional().describe('How long a client keeps its target; absent: not.'),
  })
  .describe('A load balancer as it ought to be.');

const ingressSchema = z
  .object({
    ip: z
      .string()
      .refine((address) => isIP(address) !== 0, 'is no IP address')
      .meta({ anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] })
      .optional()
      .describe('An IPv4 or IPv6 address.'),
    hostname: z
      .string()
      .max(253)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'is no DNS name')
      .optional()
      .describe('A name, in lower case.'),
    ipMode: z
      .enum(['VIP', 'Proxy'])
      .optional()
      .describe(
        'Of an ip. VIP, as when it is absent: traffic reaches the nodes with this destination. Proxy: with an address of the target, so that nodes leave the address to the load balancer.',
      ),
  })
  .refine(({ ip, hostname }) => (ip === undefined) !== (hostname === undefined), {
    error: 'has neither ip nor hostname, or both',
  })
  .meta({ oneOf: [{ required: ['ip'] }, { required: ['hostname'] }] })
  .describe('An address or a name that clients use: one of both.');

export const stateSchema = z
  .object({
    providerID: text(2048).optional().describe("The server's own id of it, for people to find it there."),
    ingress: z.array(ingressSchema).max(8).describe('Where clients find it; empty: nowhere yet.'),
    notReady: findingSchema.optional().describe('Why no traffic comes through yet; absent: it does.'),
    targets: z
      .object({
        desired: z.int().min(0).describe('How many there ought to be.'),
        healthy: z.int().min(0).describe('How many answer health checks.'),
      })
      .optional()
      .describe('Counts of targets, where their health is known.'),
    unhealthy: findingSchema.optional().describe('Why targets are not healthy.'),
    healthyPods: z
      .array(text(253))
      .max(10_000)
      .optional()
      .describe('Pods by name that get traffic and are healthy, for their readiness gates.'),
    againAfterSeconds: z
      .int()
      .min(1)
      .max(3600)
      .optional()
      .describe('Ask again after this, though nothing changes in the cluster: something takes its time.'),
  })
  .describe('A load balancer as it is.');

export const changeSchema = z
  .object({
    action: z.enum(['Create', 'Update', 'Delete']).describe('What is done.'),
    resource: text(63).describe('What it is done to, in the words of the server: VirtualServer, Pool, ...'),
    summary: text(1024).describe('A line for a person.'),
    fields: z
      .array(
        z.object({
          field: text(253).describe('Which field.'),
          actual: z.string().max(4096).describe('What it is; `(none)` where there is none.'),
          expected: z.string().max(4096).describe('What it ought to be.'),
        }),
      )
      .max(256)
      .optional()
      .describe('Of an update: which fields.'),
  })
  .describe('One step from what is to what ought to be.');

const operationId = z
  .uuid()
  .describe(
    'Of the operation: a request that is sent again because its answer got lost has the same one. Doing an operation twice must come to the same as doing it once.',
  );

const common = { apiVersion: version, provider: providerSchema };

/** A POST to `<url>/v1/<name>`. */
export interface Operation<Request, Answer> {
  name: string;
  request: z.ZodType<Request>;
  answer: z.ZodType<Answer>;
}

/** Request and answer of each operation. */
export const OPERATIONS = {
  validate: {
    name: 'validate',
    request: z.object({ ...common }).describe('Whether the server takes this configuration.'),
    answer: z.object({
      apiVersion: version,
      findings: z.array(findingSchema).max(32).describe('What is wrong with it; empty: nothing.'),
    }),
  },
  plan: {
    name: 'plan',
    request: z
      .object({ ...common, id: idSchema, desired: desiredSchema })
      .describe('What apply would do. Nothing is changed.'),
    answer: z.object({
      apiVersion: version,
      changes: z
        .array(changeSchema)
        .max(256)
        .describe('In the order in which they would be done; empty: all is right.'),
      state: stateSchema,
    }),
  },
  apply: {
    name: 'apply',
    request: z
      .object({ ...common, id: idSchema, operationId, desired: desiredSchema })
      .describe('Makes it so, from whatever there is. What takes long may be told as notReady.'),
    answer: z.object({ apiVersion: version, state: stateSchema }),
  },
  observe: {
    name: 'observe',
    request: z
      .object({
        ...common,
        clusterId: text(253).describe('Only what is of this cluster.'),
        id: idSchema.optional().describe('Only this one; absent: all of this LoadBalancerProvider.'),
        continue: z.string().optional().describe('From the answer before: the next page.'),
      })
      .describe('What there is of a cluster.'),
    answer: z.object({
      apiVersion: version,
      loadBalancers: z
        .array(z.object({ id: idSchema, state: stateSchema }))
        .max(10_000)
        .describe('What there is; one that was asked for and is missing here is not there.'),
      continue: text(4096).optional().describe('There is more: sent with the next request.'),
    }),
  },
  delete: {
    name: 'delete',
    request: z
      .object({ ...common, id: idSchema, operationId })
      .describe('Takes it away, if it is of this Service.'),
    answer: z.object({
      apiVersion: version,
      gone: z.boolean().describe('true: nothing of it is left. false: it takes its time, ask again.'),
    }),
  },
} as const;

/** With any HTTP status that isn't 200. */
export const errorSchema = findingSchema
  .extend({
    apiVersion: z.string().describe('The version of this contract that the server speaks.'),
    retryAfterSeconds: z
      .int()
      .min(1)
      .max(3600)
      .optional()
      .describe('Not before this; the header Retry-After says the same.'),
  })
  .describe('Why it is not done.');

export type Id = z.infer<typeof idSchema>;
export type Desired = z.infer<typeof desiredSchema>;
export type State = z.infer<typeof stateSchema>;
export type PlannedChange = z.infer<typeof changeSchema>;
