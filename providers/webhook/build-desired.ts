import type { Frontend, LoadBalancerSpec } from '../../crds/load-balancer.ts';
import type { Subject, TargetNode, TargetPod } from '../provider.ts';
import type { Desired } from './contract.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

type Target = Desired['frontends'][number]['targets'][number];

type Targets = Pick<Subject, 'nodes' | 'pods'>;

/** What is asked for, in the words of the contract. What is equal is equal as text. */
export function buildDesired(targets: Targets, spec: LoadBalancerSpec): Desired {
  const { healthCheckNodePort, healthCheckPath, sourceRanges, sessionAffinitySeconds, sharedAddress } = spec;
  return {
    scheme: spec.scheme,
    ipFamilies: spec.ipFamilies ?? [],
    ...(spec.addresses === undefined
      ? {}
      : { addresses: spec.addresses.map(({ address }) => ({ ip: address })) }),
    ...(sharedAddress === undefined ? {} : { sharedAddress }),
    frontends: (spec.frontends ?? []).map(({ name, protocol, port, appProtocol, ...numbers }) => ({
      ...(name === undefined ? {} : { name }),
      protocol,
      port,
      ...(appProtocol === undefined ? {} : { appProtocol }),
      targets: buildTargets(targets, spec, { protocol, port, ...numbers }),
    })),
    targetsMode: spec.targets.mode,
    drainSeconds: spec.targets.drainSeconds,
    externalTrafficPolicy: spec.externalTrafficPolicy,
    ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
    ...(healthCheckPath === undefined ? {} : { healthCheckPath }),
    ...(sourceRanges === undefined ? {} : { sourceRanges }),
    ...(sessionAffinitySeconds === undefined ? {} : { sessionAffinitySeconds }),
  };
}

function buildTargets(
  { nodes = [], pods = [] }: Targets,
  spec: LoadBalancerSpec,
  frontend: Frontend,
): Target[] {
  if (spec.targets.mode === 'Pod') {
    const { port, protocol } = frontend;
    return pods.filter((pod) => pod.port === port && pod.protocol === protocol).map(targetOfPod);
  }
  const port = spec.targets.mode === 'NodePort' ? frontend.nodePort : frontend.forwardingPort;
  if (port === undefined) return [];
  return nodes
    .map((node) => targetOfNode(node, port, spec.ipFamilies))
    .filter(({ addresses }) => addresses.length > 0);
}

function targetOfPod({ pod, address, targetPort, zone }: TargetPod): Target {
  return {
    ...(pod === undefined ? {} : { name: pod }),
    addresses: [address],
    port: targetPort,
    draining: false,
    ...(zone === undefined ? {} : { zone }),
  };
}

/** Node ports answer at addresses of the Service's families alone. */
function targetOfNode(node: TargetNode, port: number, families: LoadBalancerSpec['ipFamilies']): Target {
  const zone = node.labels?.[ZONE_LABEL];
  return {
    name: node.name,
    addresses: node.addresses.filter(
      (address) => families?.includes(address.includes(':') ? 'IPv6' : 'IPv4') !== false,
    ),
    port,
    draining: node.draining,
    ...(zone === undefined ? {} : { zone }),
    ...(node.providerID === undefined ? {} : { providerID: node.providerID }),
  };
}
