import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { DeviceAccess, DeviceMember, DeviceState } from '../device.ts';
import { TAKEN_ADDRESS, TENANT } from '../device.ts';
import type { DemoLab } from './demo-lab.ts';
import {
  addressOf,
  choosePod,
  findWebMember,
  lookAt,
  manifestOf,
  membersOf,
  reasonOf,
  until,
} from './device-lookups.ts';
import { describeDeclaration, describeMembers } from './device-view.ts';
import { formatMs, type Terminal } from './terminal.ts';

const SAMPLE = 'config/samples/bigip/provider.yaml';
const DRAIN_SECONDS = 8;
/** The least that a provider takes. */
const DRIFT_SECONDS = 30;
/** Of the sample, and after it was scaled. */
const PODS = 3;
const REPLICAS = 5;
const OTHERS = ['mail', 'shop'];

/** Services on a BIG-IP, which is a stand-in: what is declared, what is left alone, and what the Services say. */
export async function showDevice(lab: DemoLab, terminal: Terminal): Promise<DeviceAccess> {
  const access = await startDevice(lab, terminal);
  const { foreign } = await lookAt(lab);
  await showDeclaration(lab, terminal, access);
  await showScale(lab, terminal);
  await showDrain(lab, terminal);
  await showFaulty(lab, terminal);
  await showDrift(lab, terminal);
  await showDeletion(lab, terminal, foreign);
  return access;
}

async function startDevice(lab: DemoLab, terminal: Terminal): Promise<DeviceAccess> {
  terminal.heading('What stands for an F5 BIG-IP');
  terminal.wait('for the stand-in');
  const access = await lab.control.call('startDevice', {});
  terminal.say(
    "No BIG-IP can run here. This is a stand-in, made from F5's documentation of AS3 and iControl REST:",
  );
  terminal.say(
    `it takes declarations, and ${terminal.bold('carries no traffic')}. No client is shown here, therefore.`,
  );
  if (access.schemaChecked) terminal.aside("Every declaration is held against F5's own schema.");
  const { foreign } = await lookAt(lab);
  terminal.aside(
    `It has ${foreign.count} objects that are none of ours: partition payroll, /Common/intranet, ...`,
  );
  return access;
}

async function showDeclaration(lab: DemoLab, terminal: Terminal, access: DeviceAccess): Promise<void> {
  terminal.heading('A Service of type LoadBalancer gets its address there');
  terminal.command('kubectl apply -f config/samples/pool.yaml -f config/samples/web.yaml');
  const samples = ['config/samples/pool.yaml', 'config/samples/web.yaml'];
  terminal.output(await lab.ask('apply', ...samples.flatMap((each) => ['-f', each])));
  terminal.command('kubectl get service web   # nothing serves it yet');
  const before = await lab.ask('get', 'service', 'web');
  terminal.output(before);
  terminal.claim(before.includes('<pending>'), 'EXTERNAL-IP is <pending>');
  terminal.wait('for the pods');
  await lab.ask('rollout', 'status', 'deployment/web', '--timeout=60s');

  const startedAt = await applyProvider(lab, terminal, access);
  terminal.wait('for the address');
  await until(lab, 'the Service to get an address', async () => (await addressOf(lab, 'web')) !== '');
  const tookMs = performance.now() - startedAt;
  terminal.command('kubectl get service web');
  terminal.output(await lab.ask('get', 'service', 'web'));
  terminal.claim(true, `EXTERNAL-IP is there ${formatMs(tookMs)} after the provider`);
  terminal.say('');
  terminal.say('What was declared, in short:');
  await until(lab, 'a member for each pod', async () => (await membersOf(lab, 'ipv4')).length === PODS);
  const last = (await lab.control.call('deviceDeclarations', {})).at(-1);
  if (last !== undefined) terminal.output(describeDeclaration(last));
  const { applications, members, virtualServers } = await lookAt(lab);
  terminal.claim(
    applications.length === 1,
    `one application, with ${virtualServers.length} virtual servers, and ${members.length} members in its pools`,
  );
}

/** Answers when it was applied. */
async function applyProvider(lab: DemoLab, terminal: Terminal, access: DeviceAccess): Promise<number> {
  const { ca, device, password, username } = access;
  const caFile = await lab.writeFile('bigip-ca.crt', ca);
  const literals = [`--from-literal=username=${username}`, `--from-literal=password=${password}`];
  terminal.command('kubectl -n fairlead-system create secret generic f5 ...   # and f5-ca, with ca.crt');
  const create = ['-n', 'fairlead-system', 'create', 'secret', 'generic'];
  terminal.output(await lab.ask(...create, 'f5', ...literals));
  terminal.output(await lab.ask(...create, 'f5-ca', `--from-file=ca.crt=${caFile}`));
  const provider = parse(await readFile(SAMPLE, 'utf8'));
  const { deviceGroup: _group, ...bigip } = provider.spec.bigip;
  provider.spec = {
    ...provider.spec,
    // Services that ask for no provider get this one.
    default: true,
    targets: { mode: 'Pod', drainSeconds: DRAIN_SECONDS },
    drift: { policy: 'Report', intervalSeconds: DRIFT_SECONDS },
    bigip: { ...bigip, devices: [device], tenant: TENANT },
  };
  terminal.command(`kubectl apply -f ${SAMPLE}`);
  const startedAt = performance.now();
  terminal.output(await lab.ask('create', '-f', await lab.writeFile('provider.yaml', stringify(provider))));
  terminal.aside(
    `With this device, default: true, pods as targets, drainSeconds: ${DRAIN_SECONDS}, drift reported each ${DRIFT_SECONDS} s.`,
  );
  return startedAt;
}

async function showScale(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('Members follow the pods');
  await lab.control.call('resetDeviceCalls', {});
  terminal.command(`kubectl scale deployment web --replicas ${REPLICAS}`);
  terminal.output(await lab.ask('scale', 'deployment', 'web', '--replicas', String(REPLICAS)));
  terminal.wait('for the pods');
  await until(lab, 'a member for each pod', async () => (await membersOf(lab, 'ipv4')).length === REPLICAS);
  const made = await lab.control.call('deviceDeclarations', {});
  terminal.output(describeMembers(await membersOf(lab, 'ipv4')));
  const largest = Math.max(...made.map(({ bytes }) => bytes));
  terminal.claim(
    true,
    `${REPLICAS} members, by ${made.length} declarations of this application alone, at most ${largest} bytes`,
  );
}

async function showDrain(lab: DemoLab, terminal: Terminal): Promise<void> {
  const { address, node } = await choosePod(lab);
  terminal.heading(`${node} is drained: its pods get no new connections first, and leave after`);
  terminal.command(`kubectl drain ${node} --ignore-daemonsets`);
  const drained = lab.ask('drain', node, '--ignore-daemonsets', '--timeout=60s');
  // Told below, when it is awaited.
  drained.catch(() => {});
  const sessionOf = async () =>
    (await membersOf(lab, 'ipv4')).find((each) => each.address === address)?.session;
  await until(lab, 'the member to be disabled', async () => (await sessionOf()) === 'user-disabled');
  const disabledAt = performance.now();
  terminal.output(describeMembers(await membersOf(lab, 'ipv4')));
  terminal.claim(true, `${address} is user-disabled: connections go on, new ones don't come`);
  await drained;
  terminal.wait(`it stays for ${DRAIN_SECONDS} s`);
  await until(lab, 'the member to go', async () => (await sessionOf()) === undefined);
  const stayedMs = performance.now() - disabledAt;
  const wanted = (each: DeviceMember) => each.session !== 'user-disabled';
  await until(lab, 'the others to settle', async () => {
    const members = await membersOf(lab, 'ipv4');
    return members.length === REPLICAS && members.every(wanted);
  });
  terminal.output(describeMembers(await membersOf(lab, 'ipv4')));
  terminal.claim(stayedMs > (DRAIN_SECONDS / 2) * 1000, `it was removed ${formatMs(stayedMs)} later`);
  await lab.ask('uncordon', node);
}

async function showFaulty(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('One Service asks for what somebody else has: it is named, the others are served');
  const services = OTHERS.map((name) => manifestOf(name));
  const file = await lab.writeFile(
    'services.yaml',
    [...services, manifestOf('taken', TAKEN_ADDRESS)].join('---\n'),
  );
  terminal.command(
    `kubectl apply -f ${file}   # ${OTHERS.join(', ')}, and one at ${TAKEN_ADDRESS}, which /Common/intranet has`,
  );
  terminal.output(await lab.ask('apply', '-f', file));
  terminal.wait('for addresses');
  for (const name of OTHERS)
    await until(lab, `${name} to get an address`, async () => (await addressOf(lab, name)) !== '');
  let told = '';
  await until(lab, 'the reason of the other one', async () => {
    told = await reasonOf(lab);
    return told.startsWith('SyncFailed');
  });
  terminal.command('kubectl get services');
  terminal.output(await lab.ask('get', 'services'));
  terminal.command('kubectl get service taken -o jsonpath=...   # condition fairlead.dev/LoadBalancerReady');
  terminal.output(told);
  terminal.claim((await addressOf(lab, 'taken')) === '', 'taken has no address');
  terminal.claim(told.includes('/Common/intranet'), 'it says why, in the words of the device');
  const { applications } = await lookAt(lab);
  terminal.claim(applications.length === OTHERS.length + 1, `${applications.length} applications are served`);
}

async function showDrift(lab: DemoLab, terminal: Terminal): Promise<void> {
  terminal.heading('Somebody disables a member by hand');
  const { name, target } = await findWebMember(lab);
  const { member, pool } = target;
  terminal.command(`tmsh modify ltm pool ${pool} members modify { ${name} { session user-disabled } }`);
  await lab.control.call('editDeviceMember', { pool, member, session: 'user-disabled' });
  terminal.wait(`the device is read each ${DRIFT_SECONDS} s here (300 s by default)`);
  const message = '{.status.conditions[?(@.type=="Drifted")].message}';
  let told = '';
  const toldMs = await until(lab, 'it to be told', async () => {
    told = await lab.ask('get', 'loadbalancer', 'web.f5', '-o', `jsonpath=${message}`);
    return told.includes(name);
  });
  terminal.command(`kubectl get loadbalancer web.f5 -o jsonpath='${message}'`);
  terminal.output(told);
  terminal.claim(true, `drift.policy: Report tells it, after ${formatMs(toldMs)}`);
  const patch = ['patch', 'loadbalancerprovider', 'f5', '--type=merge'];
  const repair = '{"spec":{"drift":{"policy":"Repair"}}}';
  terminal.command(`kubectl ${patch.join(' ')} -p '${repair}'`);
  terminal.output(await lab.ask(...patch, '-p', repair));
  const backMs = await until(lab, 'the member to be enabled again', async () => {
    const { members } = await lookAt(lab);
    return members.some(
      (each) => each.pool === pool && each.member === member && each.session !== 'user-disabled',
    );
  });
  terminal.claim(true, `drift.policy: Repair puts it back, after ${formatMs(backMs)}`);
}

async function showDeletion(lab: DemoLab, terminal: Terminal, before: DeviceState['foreign']): Promise<void> {
  terminal.heading('The Services go, and their applications');
  const names = ['web', ...OTHERS, 'taken'];
  terminal.command(`kubectl delete service ${names.join(' ')}`);
  terminal.output(await lab.ask('delete', 'service', ...names));
  const { applications, foreign, virtualServers } = await lookAt(lab);
  terminal.claim(
    applications.length === 0 && virtualServers.length === 0,
    `${applications.length} applications and ${virtualServers.length} virtual servers are left`,
  );
  terminal.claim(
    foreign.digest === before.digest,
    `${foreign.count} objects of others: byte for byte as they were at the beginning`,
  );
  terminal.command('kubectl apply -f config/samples/web.yaml   # to look around');
  terminal.output(await lab.ask('apply', '-f', 'config/samples/web.yaml'));
}
