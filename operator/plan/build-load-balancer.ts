import type { ProviderType } from '../../crds/common.ts';
import type { AddressClaim, Frontend, LoadBalancer, LoadBalancerSpec } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import type { Service, ServicePort } from '../../kube/objects.ts';
import { apiVersionOf } from '../../kube/resources.ts';
import type { OptionsReading } from '../../providers/provider.ts';
import { loadBalancerName, PROVIDER_LABEL, SERVICE_LABEL } from './names.ts';
import type { AnnotatedWishes } from './read-annotations.ts';

/** `spec.sessionAffinityConfig` of the Kubernetes API. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

/** A number that a port has beside its own: what was decided, and the PortPool that it came from. */
export interface PortClaim {
  protocol: ServicePort['protocol'];
  port: number;
  nodePort?: number;
  forwardingPort?: number;
  pool?: string;
}

export interface LoadBalancerInput {
  service: Service;
  provider: LoadBalancerProvider;
  providerType: ProviderType;
  wishes: AnnotatedWishes;
  addresses: readonly AddressClaim[];
  ports: readonly PortClaim[];
  /** What annotations say to this provider. */
  reading?: OptionsReading | undefined;
}

/** The LoadBalancer of a Service at a provider as it ought to be, to create it. */
export function buildLoadBalancer(input: LoadBalancerInput): LoadBalancer {
  const { service, provider } = input;
  const { name, namespace, uid = '' } = service.metadata;
  return {
    apiVersion: apiVersionOf(LOAD_BALANCERS),
    kind: LOAD_BALANCERS.kind,
    metadata: {
      name: loadBalancerName(name, provider.metadata.name),
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        // A Service's name may be longer than a label's value only where Kubernetes relaxes it; the index is by spec.
        ...(name.length <= 63 ? { [SERVICE_LABEL]: name } : {}),
        [PROVIDER_LABEL]: provider.metadata.name,
      },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: false },
      ],
    },
    spec: buildSpec(input),
  };
}

/** Everything absent is left out, so that what is written compares equal to what is read. */
function buildSpec({
  service,
  provider,
  providerType,
  wishes,
  addresses,
  ports,
  reading,
}: LoadBalancerInput): LoadBalancerSpec {
  const { targets, announce } = provider.spec;
  const { healthCheckNodePort, externalTrafficPolicy } = service.spec;
  return {
    service: { name: service.metadata.name, uid: service.metadata.uid ?? '' },
    provider: { name: provider.metadata.name, type: providerType },
    scheme: wishes.scheme ?? reading?.scheme ?? provider.spec.scheme ?? 'Public',
    ...(addresses.length === 0 ? {} : { addresses: [...addresses] }),
    ...(wishes.sharedAddress === undefined ? {} : { sharedAddress: wishes.sharedAddress }),
    frontends: (service.spec.ports ?? []).map((port) => buildFrontend(port, ports)),
    targets: {
      mode: reading?.targetsMode ?? targets?.mode ?? 'NodePort',
      ...(targets?.nodeSelector === undefined ? {} : { nodeSelector: targets.nodeSelector }),
      drainSeconds: targets?.drainSeconds ?? 30,
    },
    externalTrafficPolicy: externalTrafficPolicy ?? 'Cluster',
    ...(healthCheckNodePort ? { healthCheckNodePort } : {}),
    ...(providerType === 'announce' ? {} : buildOutsidePart(service, wishes, reading)),
    ...reading?.options,
    ...(providerType === 'announce' && announce !== undefined ? { announce } : {}),
  };
}

/** What a provider outside of the cluster has to know of the Service; the agents read the Service itself. */
function buildOutsidePart(
  { spec }: Service,
  wishes: AnnotatedWishes,
  reading: OptionsReading | undefined,
): Partial<LoadBalancerSpec> {
  const { ipFamilies = [], loadBalancerSourceRanges = [], sessionAffinity, sessionAffinityConfig } = spec;
  const sourceRanges =
    loadBalancerSourceRanges.length > 0 ? loadBalancerSourceRanges : (reading?.sourceRanges ?? []);
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  return {
    ...(ipFamilies.length === 0 ? {} : { ipFamilies }),
    ...(sourceRanges.length === 0 ? {} : { sourceRanges: sourceRanges.map((range) => range.trim()) }),
    ...(sessionAffinity === 'ClientIP' ? { sessionAffinitySeconds: seconds } : {}),
    ...(wishes.healthCheckPath === undefined ? {} : { healthCheckPath: wishes.healthCheckPath }),
  };
}

function buildFrontend(port: ServicePort, claims: readonly PortClaim[]): Frontend {
  const protocol = port.protocol ?? 'TCP';
  const claim = claims.find((one) => one.port === port.port && (one.protocol ?? 'TCP') === protocol);
  const nodePort = claim?.nodePort ?? (port.nodePort || undefined);
  return {
    ...(port.name ? { name: port.name } : {}),
    protocol,
    port: port.port,
    ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    ...(nodePort === undefined ? {} : { nodePort }),
    ...(claim?.forwardingPort === undefined ? {} : { forwardingPort: claim.forwardingPort }),
    ...(claim?.pool === undefined ? {} : { portPool: claim.pool }),
  };
}
