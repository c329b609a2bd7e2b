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
  await applyScript(undefined, {
    sysctls: {},
    ip: [`link add ${port} type veth peer name eth0 netns ${namespace}`, `link set ${port} master cni0 up`],
  });
  await applyScript(namespace, buildPodNetwork(node, slotAddress(node, slot)));
}

/** Takes both away; what isn't there is no error. */
export async function deletePodNetwork(namespace: string, slot: number): Promise<void> {
  if (!existsSync(`/run/netns/${namespace}`)) return;
  await runCommand(['ip', 'link', 'del', `pod${slot}`]);
  await runCommand(['ip', 'netns', 'del', namespace]);
}
