import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import {
  conditionsSchema,
  ipFamilySchema,
  labelSelectorSchema,
  portNumber,
  protocolSchema,
  providerTypeSchema,
  schemeSchema,
  targetsModeSchema,
} from './common.ts';

/**
 * What was decided for one Service at one provider. The object is named `<service>.<provider>` (a Service's name has no
 * dot, so that no two pairs share a name) and is owned by the Service. `addresses` and the ports' numbers are claims:
 * they are written here before anything uses them, and kept until the Service lets them go.
 */
export const loadBalancerSpecSchema = z.object({
  service: z.object({ name: z.string().min(1).max(63), uid: z.string().min(1).max(64) }),
  provider: z.object({ name: z.string().min(1).max(63), type: providerTypeSchema }),
  scheme: schemeSchema,
  addresses: z
    .array(
      z.object({
        address: z.string().min(2).max(45),
        family: ipFamilySchema,
        /** The AddressPool that it came from. */
        pool: z.string().min(1).max(253),
      }),
    )
    .max(8)
    .optional(),
  /** Services of one namespace with the same key share their addresses, as long as their ports don't clash. */
  sharedAddress: z.string().min(1).max(63).optional(),
  frontends: z
    .array(
      z.object({
        name: z.string().max(63).optional(),
        protocol: protocolSchema,
        port: portNumber,
        appProtocol: z.string().max(253).optional(),
        nodePort: portNumber.optional(),
        /** Claimed from a PortPool; nodes forward it as they forward a node port. */
        forwardingPort: portNumber.optional(),
        /** The PortPool that nodePort or forwardingPort came from. */
        portPool: z.string().min(1).max(253).optional(),
      }),
    )
    .max(256)
    .optional(),
  targets: z.object({
    mode: targetsModeSchema,
    nodeSelector: labelSelectorSchema.optional(),
    drainSeconds: z.int().min(0).max(3600),
  }),
  externalTrafficPolicy: z.enum(['Cluster', 'Local']),
  healthCheckNodePort: portNumber.optional(),
  /** For the agents, when the provider is of type announce: where and by whom the addresses are answered. */
  announce: z
    .object({
      interfaces: z.array(z.string().min(1).max(15)).max(16).optional(),
      nodeSelector: labelSelectorSchema.optional(),
    })
    .optional(),
});

export const loadBalancerStatusSchema = z.object({
  observedGeneration: z.int().min(0).optional(),
  /** The provider's own id: an ARN, a virtual server's path, ... */
  providerID: z.string().max(2048).optional(),
  ingress: z
    .array(
      z.object({
        ip: z.string().max(45).optional(),
        hostname: z.string().max(253).optional(),
        ipMode: z.enum(['VIP', 'Proxy']).optional(),
      }),
    )
    .max(8)
    .optional(),
  targets: z.object({ desired: z.int().min(0), healthy: z.int().min(0) }).optional(),
  conditions: conditionsSchema.optional(),
});

export type LoadBalancerSpec = z.infer<typeof loadBalancerSpecSchema>;
export type LoadBalancerStatus = z.infer<typeof loadBalancerStatusSchema>;
export type AddressClaim = NonNullable<LoadBalancerSpec['addresses']>[number];
export type Frontend = NonNullable<LoadBalancerSpec['frontends']>[number];
export interface LoadBalancer extends KubeObject {
  spec: LoadBalancerSpec;
  status?: LoadBalancerStatus;
}
