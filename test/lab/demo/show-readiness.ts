import { explainFailures, failuresSince, lastAnswerOf } from '../probe/judge-results.ts';
import type { DemoLab } from './demo-lab.ts';
import type { Addresses } from './show-address.ts';
import { formatMs, type Terminal } from './terminal.ts';

const PER_SECOND = 100;
const BAR_MS = 1_000;
const OBSERVE_MS = 4_000;
const HEAL_MS = 6_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A pod fails readiness under steady new connections, and refuses to serve a second later: nobody notices. */
export async function showReadiness(lab: DemoLab, terminal: Terminal, addresses: Addresses): Promise<void> {
  terminal.heading('A pod fails its readiness probe');
  const pod = await choosePod(lab);
  const load = await lab.control.call('steady', {
    request: { url: `http://${addresses.v4}/` },
    perSecond: PER_SECOND,
  });
  await sleep(BAR_MS);
  terminal.say(`${PER_SECOND} new connections a second, all the while. ${pod.name} fails from now on,`);
  terminal.say('and a second later it resets every connection that it still gets.');
  const failedAt = Date.now();
  const url = `http://${pod.ip}:8080/fail-readiness?breakAfterMs=${BAR_MS}&healAfterMs=${HEAL_MS}`;
  await lab.exec(pod.node, 'curl', '-s', '-X', 'POST', url);
  terminal.wait('watching');
  await sleep(OBSERVE_MS);
  terminal.command('kubectl get pods');
  terminal.output(await lab.ask('get', 'pods'));
  const results = await lab.control.call('stopSteady', { load });

  const lastAnswer = lastAnswerOf(results, pod.name);
  const leftMs = lastAnswer === undefined ? Number.NaN : Math.max(lastAnswer - failedAt, 0);
  const after = results.filter(({ at }) => at >= failedAt + BAR_MS);
  const failed = failuresSince(results, failedAt + BAR_MS);
  terminal.say('');
  terminal.claim(leftMs < BAR_MS, `its last request was begun ${formatMs(leftMs)} after it began to fail`);
  terminal.claim(
    failed.length === 0 && after.length > 0,
    `${after.length} requests after the first second, failed: ${failed.length}`,
  );
  terminal.aside(`${results.length} requests in all, failed: ${explainFailures(results)}`);
  terminal.wait('it gets well again');
  await lab.ask('rollout', 'status', 'deployment/web', '--timeout=60s');
  terminal.aside('It is well again, and gets its share.');
}

interface PodList {
  items: { metadata: { name: string }; spec: { nodeName: string }; status: { podIP: string } }[];
}

async function choosePod(lab: DemoLab): Promise<{ name: string; node: string; ip: string }> {
  const { items }: PodList = JSON.parse(await lab.ask('get', 'pods', '-l', 'app=web', '-o', 'json'));
  const [pod] = items;
  if (!pod) throw new Error('there is no pod with the label app=web');
  return { name: pod.metadata.name, node: pod.spec.nodeName, ip: pod.status.podIP };
}
