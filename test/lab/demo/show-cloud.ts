import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { CloudCall } from '../cloud.ts';
import { type CloudLoadBalancer, describeCloud, lookAtCloud } from './cloud-view.ts';
import type { DemoLab } from './demo-lab.ts';
import { formatMs, type Terminal } from './terminal.ts';

const WAIT_MS = 90_000;
const SAMPLE = 'config/samples/aws/provider.yaml';
/** AWS' own controller makes 13 to 16 for the same. */
const MOST_CALLS = 8;
const QUIET_MS = 5_000;
/** The least that a provider takes. */
const DRIFT_SECONDS = 30;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A Service gets a Network Load Balancer of AWS: its life, and the calls that it takes. */
export async function showCloud(lab: DemoLab, terminal: Terminal): Promise<void> {
  await configure(lab, terminal);
  await showCreation(lab, terminal);
  await showRest(lab, terminal);
  await showNodeLeaving(lab, terminal);
  await showDrift(lab, terminal);
  await showDeletion(lab, terminal);
}

async function configure(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('An account at AWS');
  terminal.wait("moto's server, behind a proxy that counts calls");
  const { endpoint, accessKeyId, secretAccessKey } = await lab.control.call('startCloud', {});
  terminal.aside("AWS is moto's server here; each node is an instance in a VPC of three zones.");
  terminal.command('kubectl -n fairlead-system create secret generic aws-credentials ...');
  const keys = [`aws_access_key_id=${accessKeyId}`, `aws_secret_access_key=${secretAccessKey}`];
  const literals = keys.map((each) => `--from-literal=${each}`);
  const secret = ['create', 'secret', 'generic', 'aws-credentials', ...literals];
  terminal.output(await lab.ask('-n', 'fairlead-system', ...secret));
  const provider = parse(await readFile(SAMPLE, 'utf8'));
  Object.assign(provider.spec.aws, { endpoint, credentials: { secretName: 'aws-credentials' } });
  provider.spec.drift = { policy: 'Repair', intervalSeconds: DRIFT_SECONDS };
  terminal.command(`kubectl apply -f ${SAMPLE}   # with the endpoint and the Secret of this demo`);
  terminal.output(await lab.ask('create', '-f', await lab.writeFile('provider.yaml', stringify(provider))));
}

async function showCreation(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('A Service of type LoadBalancer gets a Network Load Balancer');
  terminal.command('kubectl apply -f config/samples/web.yaml');
  const startedAt = performance.now();
  terminal.output(await lab.ask('apply', '-f', 'config/samples/web.yaml'));
  terminal.wait('for the name');
  await until(
    async () => (await hostnameOf(lab)) !== '',
    'the Service to get a hostname',
    () => whyNot(lab),
  );
  const namedMs = performance.now() - startedAt;
  terminal.command('kubectl get service web');
  terminal.output(await lab.ask('get', 'service', 'web'));
  terminal.claim(true, `EXTERNAL-IP is there after ${formatMs(namedMs)}`);
  terminal.wait('for AWS to provision it, and to find the targets healthy');
  await until(
    () => isReady(lab),
    'the load balancer to be ready',
    () => whyNot(lab),
  );
  terminal.done('AWS provisions it, and finds targets healthy', performance.now() - startedAt);
  terminal.say('');
  terminal.say('What AWS has:');
  const cloud = await lookAtCloud(lab);
  terminal.output(describeCloud(cloud));
  const [loadBalancer] = cloud;
  terminal.claim(cloud.length === 1, `${cloud.length} load balancer`);
  terminal.claim(healthy(loadBalancer) === 3, `${healthy(loadBalancer)} of 3 nodes are healthy targets`);
  const calls = await callsOf(lab);
  const elb = calls.filter(({ service }) => service === 'elasticloadbalancing');
  const made = elb.filter(({ operation }) => !/^Describe(LoadBalancers|TargetHealth)$/.test(operation));
  terminal.say('');
  terminal.say(`Calls: ${countByOperation(calls)}`);
  terminal.claim(
    made.length <= MOST_CALLS,
    `${made.length} ELBv2 calls to make it (AWS' own controller: 13 to 16), ${elb.length - made.length} to see it become healthy`,
  );
}

async function showRest(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('Nothing changes: nothing is asked');
  await lab.control.call('resetCloudCalls', {});
  terminal.command('kubectl annotate service web example.com/note=hello');
  terminal.output(await lab.ask('annotate', 'service', 'web', 'example.com/note=hello'));
  await sleep(QUIET_MS);
  const calls = await callsOf(lab);
  terminal.claim(calls.length === 0, `${calls.length} calls ${countByOperation(calls)}`);
}

async function showNodeLeaving(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('A node leaves, and comes back');
  const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
  await lab.control.call('resetCloudCalls', {});
  terminal.command(`kubectl label node node-3 ${label}=`);
  terminal.output(await lab.ask('label', 'node', 'node-3', `${label}=`));
  const left = await until(
    async () => (await lookAtCloud(lab)).every((each) => healthy(each) === 2),
    'the node to leave',
    () => whyNot(lab),
  );
  const calls = await callsOf(lab);
  terminal.claim(
    calls.length === 1 && calls[0]?.operation === 'DeregisterTargets',
    `it drains after ${formatMs(left)}, by ${countByOperation(calls)}`,
  );
  terminal.command(`kubectl label node node-3 ${label}-`);
  terminal.output(await lab.ask('label', 'node', 'node-3', `${label}-`));
  const back = await until(
    async () => (await lookAtCloud(lab)).every((each) => healthy(each) === 3),
    'the node to come back',
    () => whyNot(lab),
  );
  terminal.claim(true, `it is healthy again after ${formatMs(back)}`);
}

async function showDrift(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('Somebody deletes the listener by hand');
  const [before] = await lookAtCloud(lab);
  const [listener] = before?.listeners ?? [];
  terminal.command('aws elbv2 delete-listener --listener-arn ...');
  await lab.control.call('askCloud', {
    service: 'elb',
    operation: 'DeleteListener',
    parameters: { ListenerArn: listener?.arn ?? '' },
  });
  terminal.wait(`AWS is asked each ${DRIFT_SECONDS} s here (300 s by default)`);
  const backMs = await until(
    async () => (await lookAtCloud(lab)).every(({ listeners }) => listeners.length === 1),
    'the listener to be put back',
    () => whyNot(lab),
  );
  terminal.claim(true, `it is back after ${formatMs(backMs)}`);
  const drifted = '{.status.conditions[?(@.type=="Drifted")].message}';
  terminal.command(`kubectl get loadbalancer web.aws -o jsonpath='${drifted}'`);
  terminal.output(await lab.ask('get', 'loadbalancer', 'web.aws', '-o', `jsonpath=${drifted}`));
}

async function showDeletion(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('The Service goes, and everything that was made for it');
  terminal.command('kubectl delete service web');
  terminal.output(await lab.ask('delete', 'service', 'web'));
  const left = await lookAtCloud(lab);
  const groups = await lab.control.call('askCloud', {
    service: 'elb',
    operation: 'DescribeTargetGroups',
    parameters: {},
  });
  const count = Array.isArray(groups.TargetGroups) ? groups.TargetGroups.length : 0;
  terminal.claim(
    left.length === 0 && count === 0,
    `${left.length} load balancers and ${count} target groups are left`,
  );
  terminal.command('kubectl apply -f config/samples/web.yaml   # to look around');
  terminal.output(await lab.ask('apply', '-f', 'config/samples/web.yaml'));
}

async function hostnameOf(lab: DemoLab): Promise<string> {
  const path = 'jsonpath={.status.loadBalancer.ingress[0].hostname}';
  return await lab.ask('get', 'service', 'web', '-o', path);
}

async function isReady(lab: DemoLab): Promise<boolean> {
  const conditions = '{range .status.conditions[*]}{.type}={.status} {end}';
  const told = await lab.ask('get', 'loadbalancer', 'web.aws', '-o', `jsonpath=${conditions}`);
  return told.includes('Ready=True') && told.includes('TargetsHealthy=True');
}

async function whyNot(lab: DemoLab): Promise<string> {
  const { stdout, stderr } = await lab.kubectl(['describe', 'service', 'web']);
  const status = await lab.kubectl(['get', 'loadbalancers', '-o', 'jsonpath={.items[*].status}']);
  return `${stdout}${stderr}${status.stdout}`;
}

async function callsOf(lab: DemoLab): Promise<CloudCall[]> {
  return await lab.control.call('cloudCalls', {});
}

function countByOperation(calls: readonly CloudCall[]): string {
  const counts = new Map<string, number>();
  for (const { operation } of calls) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return [...counts]
    .map(([operation, count]) => (count === 1 ? operation : `${count} ${operation}`))
    .join(', ');
}

function healthy(loadBalancer: CloudLoadBalancer | undefined): number {
  const targets = loadBalancer?.targetGroups.flatMap((group) => group.targets) ?? [];
  return targets.filter(({ health }) => health === 'healthy').length;
}

/** Answers how long it took, in ms. */
async function until(
  check: () => Promise<boolean>,
  what: string,
  explain: () => Promise<string>,
): Promise<number> {
  const startedAt = performance.now();
  while (!(await check())) {
    const tookMs = performance.now() - startedAt;
    if (tookMs > WAIT_MS) throw new Error(`waited ${formatMs(tookMs)} for ${what}\n${await explain()}`);
    await sleep(100);
  }
  return performance.now() - startedAt;
}
