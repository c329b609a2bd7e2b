import { LAB_NODES } from '../network/addresses.ts';
import { explainFailures, recoveryMs } from '../probe/judge-results.ts';
import type { DemoLab } from './demo-lab.ts';
import type { Addresses } from './show-address.ts';
import { formatMs, type Terminal } from './terminal.ts';

const PER_SECOND = 50;
const BAR_MS = 5_000;
const BEFORE_MS = 1_000;
const OBSERVE_MS = 8_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The node that has the address is cut off from every network, without goodbye; another one takes it over. */
export async function showNodeLoss(lab: DemoLab, terminal: Terminal, addresses: Addresses): Promise<void> {
  terminal.heading('The node that answers for the address is lost');
  const [owner, ...others] = await ownersOf(lab, addresses.v4);
  terminal.claim(
    owner !== undefined && others.length === 0,
    `${addresses.v4} is on ${owner ?? 'no node'}${others.length > 0 ? `, and on ${others.join(', ')}` : ''}`,
  );
  if (owner === undefined) return;
  const load = await lab.control.call('steady', {
    request: { url: `http://${addresses.v4}/`, timeoutMs: 1_000 },
    perSecond: PER_SECOND,
  });
  await sleep(BEFORE_MS);
  terminal.command(`scripts/lab node-down ${owner}`);
  const cutAt = Date.now();
  await lab.control.call('nodeDown', { node: owner });
  terminal.wait(`${owner} is cut off: no link to the other nodes, to the control plane, to the client`);
  await sleep(OBSERVE_MS);
  const results = await lab.control.call('stopSteady', { load });
  const nextOwners = (await ownersOf(lab, addresses.v4)).filter((node) => node !== owner);
  terminal.command('kubectl get nodes');
  terminal.output(await lab.ask('get', 'nodes'));
  const recovered = recoveryMs(results, cutAt);
  terminal.say('');
  terminal.claim(
    recovered !== undefined && recovered < BAR_MS,
    recovered === undefined
      ? `it did not answer again within ${formatMs(OBSERVE_MS)}: ${explainFailures(results)}`
      : `${nextOwners.join(', ')} answers for it: every request succeeds again after ${formatMs(recovered)}`,
  );
  terminal.aside(`${results.length} requests in all, failed: ${explainFailures(results)}`);
  terminal.aside('The lab notices a lost node after 3 s; Kubernetes takes 40 to 50 s with its defaults.');
  terminal.command(`scripts/lab node-up ${owner}`);
  await lab.control.call('nodeUp', { node: owner });
  terminal.wait(`${owner} is back`);
  await lab.ask('wait', '--for=condition=Ready', `node/${owner}`, '--timeout=30s');
  await lab.ask('rollout', 'status', 'deployment/web', '--timeout=60s');
  terminal.aside(`${owner} is back.`);
}

/** The nodes that have an address, as their kernels say. */
async function ownersOf(lab: DemoLab, address: string): Promise<string[]> {
  const owners: string[] = [];
  for (const { name } of LAB_NODES) {
    if ((await lab.exec(name, 'ip', '-o', 'addr', 'show', 'to', address)).trim() !== '') owners.push(name);
  }
  return owners;
}
