import { z } from 'zod';

/** What holds for all of them. Times in seconds. */
export interface EdgeSettings {
  connectSeconds: number;
  clientSeconds: number;
  serverSeconds: number;
  /** Connections at once; undefined: as many as HAProxy finds room for. */
  connections?: number | undefined;
}

/** Its place in the cluster: another address or port is another server, so its name says both. */
const serverSchema = z.object({ name: z.string(), address: z.string(), port: z.int() });

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
  frontends: z.array(frontendSchema),
});

export type ServiceModel = z.infer<typeof serviceModelSchema>;
export type FrontendModel = z.infer<typeof frontendSchema>;
export type ServerModel = z.infer<typeof serverSchema>;
export type ServerSettings = z.infer<typeof serverSettingsSchema>;

/** What an HAProxy is to be: plain data, made anew from the caches each time. */
export interface EdgeModel {
  settings: EdgeSettings;
  services: ServiceModel[];
}
