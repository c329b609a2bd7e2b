import { existsSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { DEMO_FILES } from '../demo-files.ts';
import type { DeviceAccess } from '../device.ts';
import type { Addresses } from './show-address.ts';
import type { Terminal } from './terminal.ts';

/** The cluster stays: what to try on it. */
export function sayHowToGoOn(terminal: Terminal, addresses: Addresses): void {
  const kubectl = kubectlName();
  say(terminal, [
    [`${kubectl} get services,fairlead`, 'everything of Fairlead'],
    [`${kubectl} describe service web`, 'what happened, as events'],
    [`${kubectl} scale deployment web --replicas 5`, ''],
    [`scripts/lab exec client curl -s http://${addresses.v4}/`, 'ask from the client outside'],
    ['scripts/lab exec node-1 nft list table ip fairlead', 'what the agent put into the kernel'],
    ['scripts/lab node-down node-2', 'cut a node off, node-up joins it again'],
    [`tail -f ${DEMO_FILES.logs}/*.log`, 'what the processes say'],
  ]);
}

/** The same, with load balancers of AWS. */
export function sayHowToAskCloud(terminal: Terminal): void {
  const kubectl = kubectlName();
  say(terminal, [
    [`${kubectl} get services,fairlead`, 'everything of Fairlead'],
    [`${kubectl} describe loadbalancer web.aws`, 'what became of it at AWS'],
    [`${kubectl} annotate service web fairlead.dev/scheme=Internal`, 'another load balancer takes its place'],
    ['scripts/lab kill operator', 'and start it again: nothing changes'],
    [`tail -f ${DEMO_FILES.logs}/operator.log`, 'what it does'],
  ]);
}

/** The same, with HAProxy on a machine of its own. */
export function sayHowToAskEdge(
  terminal: Terminal,
  { address, edge }: { address: string; edge: string },
): void {
  const kubectl = kubectlName();
  say(terminal, [
    [`${kubectl} get services,fairlead`, 'everything of Fairlead'],
    [`${kubectl} get loadbalancer web.edge -o yaml`, 'what the edge says: status.edges'],
    [`scripts/lab exec client curl -s http://${address}/`, 'ask from the client outside'],
    [`scripts/lab exec ${edge} cat /run/fairlead-lab/${edge}/haproxy.cfg`, 'what HAProxy runs'],
    [`scripts/lab exec ${edge} curl -s http://127.0.0.1:10359/metrics`, 'what it counts'],
    ['scripts/lab kill edge', 'HAProxy goes on; start edge begins it again'],
    [`tail -f ${DEMO_FILES.logs}/${edge}.log`, 'what the edge does'],
  ]);
}

/** The same, with a BIG-IP that carries no traffic. */
export function sayHowToAskDevice(terminal: Terminal, { device, password, username }: DeviceAccess): void {
  const kubectl = kubectlName();
  const curl = `scripts/lab exec node-1 curl -sku ${username}:${password} https://${device}/mgmt`;
  say(terminal, [
    [`${kubectl} get services,fairlead`, 'everything of Fairlead'],
    [`${kubectl} describe loadbalancer web.f5`, 'what became of it on the device'],
    [`${kubectl} scale deployment web --replicas 1`, 'members follow'],
    [`${curl}/tm/ltm/virtual`, 'what the device has'],
    [`${curl}/shared/appsvcs/declare`, 'what was declared'],
    [`tail -f ${DEMO_FILES.logs}/operator.log`, 'what the operator does'],
  ]);
}

function kubectlName(): string {
  const isInstalled = (process.env.PATH ?? '')
    .split(delimiter)
    .some((dir) => existsSync(join(dir, 'kubectl')));
  return isInstalled ? 'kubectl' : relative('.', DEMO_FILES.kubectl);
}

function say(terminal: Terminal, commands: readonly [string, string][]): void {
  terminal.heading('The cluster runs on. Look further:');
  const lines: [string, string][] = [
    [`export KUBECONFIG=${resolve(DEMO_FILES.kubeconfig)}`, ''],
    ...commands,
    ['make demo-down', 'end it'],
  ];
  const width = Math.max(...lines.map(([line]) => (line.startsWith('export') ? 0 : line.length)));
  for (const [line, what] of lines) terminal.say(what === '' ? line : `${line.padEnd(width)}  # ${what}`);
}
