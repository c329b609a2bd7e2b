import { z } from 'zod';

/** What holds for all of them. Times in seconds. */
export interface EdgeSettings {
  connectSeconds: number;
  clientSeconds: number;
  serverSeconds: number;
  /** Of a worker that another took the place of. */
  hardStopAfterSeconds: number;
  /** Connections at once; undefined: as many as HAProxy finds room for. */
  connections?: number | undefined;
}

/** Its place in the cluster: another address or port is another server, so its name says both. */
const serverSchema = z.object({
  name: z.string(),
  address: z.string(),
  port: z.int(),
  /** Of connections, to those of others; 0: no new ones. @default 1 */
  weight: z.int().optional(),
});

/** What holds for each server of a frontend, for those in the file and those added later. Times in seconds. */
const serverSettingsSchema = z.object({
  /** The port that is asked over HTTP; undefined: that of the target. */
  healthPort: z.int().optional(),
  /** undefined: a connection to the target is enough. */
  healthPath: z.string().optional(),
  intervalSeconds: z.int(),
  rise: z.int(),
  fall: z.int(),
  connections: z.int().optional(),
  proxyProtocol: z.enum(['None', 'V1', 'V2']),
});

/** TLS that is ended here. */
const tlsSchema = z.object({
  /** Files in the folder of certificates, the default one first; one at least. */
  files: z.array(z.string()),
  minimumVersion: z.enum(['TLSv1.2', 'TLSv1.3']),
});

const faultSchema = z.object({
  /** One CamelCase word. */
  reason: z.string(),
  message: z.string(),
});

/** One TCP port of a Service, at all of its addresses. */
const frontendSchema = z.object({
  /** The proxy's name in HAProxy, which no other has. */
  name: z.string(),
  port: z.int(),
  addresses: z.array(z.string()),
  /** CIDRs; empty: everybody. */
  sourceRanges: z.array(z.string()),
  /** undefined: a client has no target of its own. */
  affinitySeconds: z.int().optional(),
  balance: z.string(),
  connections: z.int().optional(),
  /** undefined: TLS isn't ended here. */
  tls: tlsSchema.optional(),
  server: serverSettingsSchema,
  servers: z.array(serverSchema),
});

/** One LoadBalancer. A schema, since what was loaded last is read back from a file. */
export const serviceModelSchema = z.object({
  /** `namespace/name` of the LoadBalancer. */
  key: z.string(),
  uid: z.string(),
  generation: z.int(),
  drainSeconds: z.int(),
  /** Why it can't be served like this, whatever HAProxy says. */
  fault: faultSchema.optional(),
  frontends: z.array(frontendSchema),
});

export type ServiceModel = z.infer<typeof serviceModelSchema>;
export type FrontendModel = z.infer<typeof frontendSchema>;
export type ServerModel = z.infer<typeof serverSchema>;
export type ServerSettings = z.infer<typeof serverSettingsSchema>;

/** Why a Service isn't served as it is wanted. */
export type Fault = z.infer<typeof faultSchema>;

/** What an HAProxy is to be: plain data, made anew from the caches each time. */
export interface ServedModel {
  settings: EdgeSettings;
  services: ServiceModel[];
}

/** What is told of the certificates of one load balancer. */
export interface CertificateReport {
  faults: Fault[];
  served: { secretName: string; notAfter: Date }[];
}

/** The same, and what is told beside it. */
export interface EdgeModel extends ServedModel {
  /** By the keys of those that name certificates. */
  certificates: ReadonlyMap<string, CertificateReport>;
}
