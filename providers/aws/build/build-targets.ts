import { isIPv6 } from 'node:net';
import { matchesSelector } from '../../../kube/selectors.ts';
import type { TargetPod } from '../../provider.ts';
import type { TargetModel } from '../model.ts';
import type { BuildInput } from './build-input.ts';
import type { ListenerChoice } from './choose-listeners.ts';

/** `aws:///<zone>/<instance>`, as the cloud provider writes it into `spec.providerID` of a Node. */
const INSTANCE = /^aws:\/\/\/[^/]*\/(i-[0-9a-f]+)$/;

/** The nodes' instances, at the port that leads to the Service. Nodes that leave aren't among them: AWS drains what it loses. */
export function buildInstanceTargets({ desired, own }: BuildInput, port: number): TargetModel[] {
  return desired.nodes
    .filter(
      ({ draining, labels }) =>
        !draining && matchesSelector({ matchLabels: own.options.targetNodeLabels }, labels),
    )
    .flatMap(({ providerID }) => instanceOf(providerID) ?? [])
    .sort()
    .map((id) => ({ id, port, zone: undefined, pods: [], gated: false }));
}

/** Names of nodes that are no instances of AWS. */
export function findForeignNodes({ desired }: BuildInput): string[] {
  return desired.nodes
    .filter(({ providerID }) => instanceOf(providerID) === undefined)
    .map(({ name }) => name);
}

/** The pods' own addresses, of one family. Two pods of one address (on the node's own network) are one target. */
export function buildPodTargets(
  { desired }: BuildInput,
  { frontend }: ListenerChoice,
  family: 'ipv4' | 'ipv6',
): TargetModel[] {
  const targets = new Map<string, TargetModel>();
  for (const pod of desired.pods) {
    const isOf = pod.port === frontend.port && pod.protocol === frontend.protocol;
    if (!isOf || isIPv6(pod.address) !== (family === 'ipv6')) continue;
    const key = `${pod.address} ${pod.targetPort}`;
    targets.set(key, addPod(targets.get(key), pod));
  }
  return [...targets.values()].sort((a, b) => (a.id < b.id || (a.id === b.id && a.port < b.port) ? -1 : 1));
}

function addPod(
  target: TargetModel | undefined,
  { address, gated, pod, targetPort }: TargetPod,
): TargetModel {
  return {
    id: address,
    port: targetPort,
    zone: undefined,
    pods: [...(target?.pods ?? []), ...(pod === undefined ? [] : [pod])].sort(),
    gated: gated || target?.gated === true,
  };
}

function instanceOf(providerID: string | undefined): string | undefined {
  return INSTANCE.exec(providerID ?? '')?.[1];
}
