import type { LoadBalancer } from '../crds/load-balancer.ts';
import type { LoadBalancerProviderSpec } from '../crds/load-balancer-provider.ts';
import type { EndpointSlice, Node } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import { findServers } from './find-servers.ts';
import type { EdgeModel, FrontendModel, ServerSettings, ServiceModel } from './model.ts';
import {
  type ChosenCertificates,
  chooseCertificates,
  endsTls,
  findUnknownPorts,
} from './tls/choose-certificates.ts';
import type { CertificateState } from './tls/edge-certificates.ts';

export interface ModelInput {
  provider: Pick<LoadBalancerProviderSpec, 'haproxy'>;
  loadBalancers: readonly LoadBalancer[];
  nodes: readonly Node[];
  /** Of the Service of a LoadBalancer, of one that `needsEndpoints`. */
  slicesOf(loadBalancer: LoadBalancer): readonly EndpointSlice[];
  /** Of a Secret, as `namespace/name`. */
  certificateOf(secret: string): CertificateState | undefined;
  /** What HAProxy was given last, by the keys of LoadBalancers. */
  loaded: ReadonlyMap<string, ServiceModel>;
  now: Date;
}

/** Spec of the provider, its defaults filled in. */
type Haproxy = NonNullable<LoadBalancerProviderSpec['haproxy']>;

/** Everything that an edge serves, in an order that depends on names only. */
export function buildModel(input: ModelInput): EdgeModel {
  const { haproxy } = input.provider;
  const { connectSeconds = 3, clientSeconds = 3600, serverSeconds = 3600 } = haproxy?.timeouts ?? {};
  const { hardStopAfterSeconds = 86_400 } = haproxy ?? {};
  const connections = haproxy?.limits?.connections;
  const wanted = input.loadBalancers.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const certificates = new Map(
    wanted.flatMap((loadBalancer) => {
      if (loadBalancer.spec.haproxy?.tls === undefined) return [];
      const chosen = chooseCertificates(loadBalancer, (secret) => input.certificateOf(secret), input.now);
      return [[keyOf(loadBalancer), chosen] as const];
    }),
  );
  const services = wanted
    .map((each) => buildService(each, haproxy, input, certificates.get(keyOf(each))))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const settings = { connectSeconds, clientSeconds, serverSeconds, hardStopAfterSeconds, connections };
  return { settings, services, certificates };
}

function buildService(
  loadBalancer: LoadBalancer,
  haproxy: Haproxy | undefined,
  input: ModelInput,
  certificates: ChosenCertificates | undefined,
): ServiceModel {
  const { metadata, spec } = loadBalancer;
  const addresses = (spec.addresses ?? []).map(({ address }) => address);
  const find = findServers(loadBalancer, input);
  const frontends = addresses.length === 0 ? [] : (spec.frontends ?? []);
  const fault = findUnknownPorts(spec);
  const key = keyOf(loadBalancer);
  const uid = metadata.uid ?? '';
  const last = input.loaded.get(key);
  const { files = [] } = certificates ?? {};
  const tls =
    files.length === 0 ? undefined : { files, minimumVersion: haproxy?.tls?.minimumVersion ?? 'TLSv1.2' };
  /** What was served last is better than nothing. */
  const tlsOf = (name: string) =>
    tls ?? (last?.uid === uid ? last.frontends.find((each) => each.name === name)?.tls : undefined);
  return {
    key,
    uid,
    generation: metadata.generation ?? 0,
    drainSeconds: spec.targets.drainSeconds,
    ...(fault === undefined ? {} : { fault }),
    frontends: frontends
      .filter(({ protocol }) => protocol === 'TCP')
      .flatMap((frontend): FrontendModel[] => {
        const name = `${metadata.namespace ?? ''}.${metadata.name}.${frontend.port}`;
        const isEncrypted = endsTls(spec, frontend);
        const ownTls = isEncrypted ? tlsOf(name) : undefined;
        // What is to be encrypted isn't served at all without a certificate.
        if (isEncrypted && ownTls === undefined) return [];
        const affinitySeconds = spec.sessionAffinitySeconds;
        return [
          {
            name,
            port: frontend.port,
            addresses,
            sourceRanges: spec.sourceRanges ?? [],
            affinitySeconds,
            // The same target again for a client whose entry was lost.
            balance: affinitySeconds === undefined ? (haproxy?.balance ?? 'roundrobin') : 'source',
            connections: haproxy?.limits?.connectionsPerFrontend,
            ...(ownTls === undefined ? {} : { tls: ownTls }),
            server: buildServerSettings(loadBalancer, haproxy),
            servers: find(frontend),
          },
        ];
      }),
  };
}

function buildServerSettings({ spec }: LoadBalancer, haproxy: Haproxy | undefined): ServerSettings {
  const {
    port,
    intervalSeconds = 2,
    healthyThreshold = 2,
    unhealthyThreshold = 2,
  } = haproxy?.healthCheck ?? {};
  const isLocal = spec.externalTrafficPolicy === 'Local' && spec.healthCheckNodePort !== undefined;
  const ofNodes = isLocal ? spec.healthCheckNodePort : port;
  const healthPort = spec.targets.mode === 'Pod' ? undefined : ofNodes;
  return {
    healthPort: spec.healthCheckPath === undefined ? healthPort : undefined,
    healthPath: spec.healthCheckPath ?? (healthPort === undefined ? undefined : '/healthz'),
    intervalSeconds,
    rise: healthyThreshold,
    fall: unhealthyThreshold,
    connections: haproxy?.limits?.connectionsPerTarget,
    proxyProtocol: haproxy?.proxyProtocol ?? 'None',
  };
}
