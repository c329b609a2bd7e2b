import { CLIENT } from '../network/addresses.ts';
import { countByPod, explainFailures } from '../probe/judge-results.ts';
import type { ProbeResult } from '../probe/probe-protocol.ts';
import type { DemoLab } from './demo-lab.ts';
import type { Addresses } from './show-address.ts';
import type { Terminal } from './terminal.ts';

const REQUESTS = 60;
const PODS = 3;

/** Requests from the client outside, over both families: every pod has its share. */
export async function showSpread(lab: DemoLab, terminal: Terminal, addresses: Addresses): Promise<void> {
  terminal.heading('The client outside asks, and three pods answer');
  terminal.wait('the pods are starting');
  await lab.ask('rollout', 'status', 'deployment/web', '--timeout=60s');
  terminal.command('kubectl get pods -o wide');
  terminal.output(await lab.ask('get', 'pods', '-o', 'wide'));
  terminal.command(`scripts/lab exec client curl -s http://${addresses.v4}/`);
  terminal.output(await lab.exec(CLIENT.name, 'curl', '-s', '--max-time', '5', `http://${addresses.v4}/`));
  for (const host of [addresses.v4, `[${addresses.v6}]`]) {
    const results: ProbeResult[] = [];
    for (let i = 0; i < REQUESTS; i++) {
      results.push(await lab.control.call('request', { url: `http://${host}/` }));
    }
    terminal.say('');
    terminal.say(`${REQUESTS} requests to ${terminal.bold(`http://${host}/`)}, each over a new connection:`);
    const counts = countByPod(results);
    for (const [pod, count] of counts) terminal.say(`  ${pod}  ${'█'.repeat(count)} ${count}`);
    terminal.claim(
      results.every(({ ok }) => ok) && counts.size === PODS,
      `${counts.size} of ${PODS} pods answered; failed requests: ${explainFailures(results)}`,
    );
  }
}
