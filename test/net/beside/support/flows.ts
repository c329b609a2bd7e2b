import { expect } from 'chai';
import type { BesideLab } from './beside-lab.ts';
import { B1, CLIENT, P1 } from './places.ts';
import { clusterIpsOf, forwardingPortOf, nodePortOf, vipsOf } from './services.ts';

const FLOWS = [
  { id: 'vip', from: CLIENT, address: vipsOf(11)[0], port: 80 },
  { id: 'vip6', from: CLIENT, address: vipsOf(11)[1], port: 80 },
  { id: 'vip-from-pod', from: P1, address: vipsOf(11)[0], port: 80 },
  { id: 'forwarding-port', from: CLIENT, address: B1.address, port: forwardingPortOf(11) },
  { id: 'labelled', from: P1, address: clusterIpsOf(12)[0], port: 80 },
  { id: 'labelled6', from: P1, address: clusterIpsOf(12)[1], port: 80 },
  { id: 'plain', from: P1, address: clusterIpsOf(11)[0], port: 80 },
  { id: 'plain-node-port', from: CLIENT, address: B1.address6, port: nodePortOf(11) },
];

/** TCP connections through all that either proxy serves; those of before are closed. */
export async function openFlows(lab: BesideLab): Promise<void> {
  for (const { id, from, address, port } of FLOWS) {
    await lab.station(from).openFlow(id, { transport: 'tcp', address, port });
  }
}

/** They still carry what is said. */
export async function expectFlows(lab: BesideLab): Promise<void> {
  const answers: Record<string, string> = {};
  for (const { id, from } of FLOWS) answers[id] = (await lab.station(from).useFlow(id, 3_000)).result;
  expect(answers).to.deep.equal(Object.fromEntries(FLOWS.map(({ id }) => [id, 'served'])));
}
