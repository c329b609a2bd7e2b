import { existsSync } from 'node:fs';
import type { LabNode } from '../network/addresses.ts';
import { buildPodNetwork } from '../network/build-network.ts';
import { applyScript } from '../network/namespaces.ts';
import { mustRun, runCommand } from '../run-command.ts';
import { slotAddress } from './address-slots.ts';

/** Makes a pod's namespace and its cable to cni0. Runs in the node's namespace. */
export async function createPodNetwork(node: LabNode, namespace: string, slot: number): Promise<void> {
  await mustRun(['ip', 'netns', 'add', namespace]);
  const port = `pod${slot}`;
  const address = slotAddress(node, slot);
  await applyScript(undefined, {
    sysctls: {},
    ip: [
      `link add ${port} type veth peer name eth0 address ${address.mac} netns ${namespace}`,
      `link set ${port} master cni0 up`,
      // As the bridge plugin of CNI with hairpinMode: where bridged packets pass the rules too (br_netfilter), a pod
      // that is sent to itself leaves by the port that it came from.
      `link set ${port} type bridge_slave hairpin on`,
    ],
  });
  await applyScript(namespace, buildPodNetwork(node, address));
}

/** Takes both away; what isn't there is no error. */
export async function deletePodNetwork(namespace: string, slot: number): Promise<void> {
  if (!existsSync(`/run/netns/${namespace}`)) return;
  await runCommand(['ip', 'link', 'del', `pod${slot}`]);
  await runCommand(['ip', 'netns', 'del', namespace]);
}
