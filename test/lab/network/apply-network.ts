import { mustRun } from '../run-command.ts';
import { CLIENT, LAB_NODES, type LabMachine, type LabNode } from './addresses.ts';
import {
  buildCables,
  buildClientNetwork,
  buildMachineNetwork,
  buildNodeNetwork,
  buildSwitches,
  portName,
} from './build-network.ts';
import { applyScript } from './namespaces.ts';

/** Makes every namespace, bridge, address and route of the lab, in the private namespaces that this process runs in. */
export async function applyNetwork(nodes: readonly LabNode[] = LAB_NODES): Promise<void> {
  for (const name of [...nodes.map((node) => node.name), CLIENT.name]) {
    await mustRun(['ip', 'netns', 'add', name]);
  }
  await applyScript(undefined, buildSwitches(nodes));
  for (const node of nodes) await applyScript(node.name, buildNodeNetwork(node, nodes));
  await applyScript(CLIENT.name, buildClientNetwork());
}

/** Adds a machine that is no node to the network that there is. */
export async function addMachine(machine: LabMachine): Promise<void> {
  await mustRun(['ip', 'netns', 'add', machine.name]);
  await applyScript(undefined, buildCables(machine.name));
  await applyScript(machine.name, buildMachineNetwork(machine));
}

/**
 * Cuts a node off from both networks, or joins it again. It is done at the switches and not at the node's links: the
 * node sees no carrier lost and nobody says goodbye, as when a switch dies or a host loses its power.
 */
export async function setNodeConnected(node: string, connected: boolean): Promise<void> {
  const state = connected ? '3' : '0'; // BR_STATE_FORWARDING, BR_STATE_DISABLED
  for (const link of ['eth0', 'eth1'] as const) {
    await mustRun(['bridge', 'link', 'set', 'dev', portName(node, link), 'state', state]);
  }
}
