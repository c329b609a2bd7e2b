import { existsSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { DEMO_FILES } from '../demo-files.ts';
import type { Addresses } from './show-address.ts';
import type { Terminal } from './terminal.ts';

/** The cluster stays: what to try on it. */
export function sayHowToGoOn(terminal: Terminal, addresses: Addresses): void {
  const hasKubectl = (process.env.PATH ?? '')
    .split(delimiter)
    .some((dir) => existsSync(join(dir, 'kubectl')));
  const kubectl = hasKubectl ? 'kubectl' : relative('.', DEMO_FILES.kubectl);
  terminal.heading('The cluster runs on. Look further:');
  const lines: [string, string][] = [
    [`export KUBECONFIG=${resolve(DEMO_FILES.kubeconfig)}`, ''],
    [`${kubectl} get services,fairlead`, 'everything of Fairlead'],
    [`${kubectl} describe service web`, 'what happened, as events'],
    [`${kubectl} scale deployment web --replicas 5`, ''],
    [`scripts/lab exec client curl -s http://${addresses.v4}/`, 'ask from the client outside'],
    ['scripts/lab exec node-1 nft list table ip fairlead', 'what the agent put into the kernel'],
    ['scripts/lab node-down node-2', 'cut a node off, node-up joins it again'],
    [`tail -f ${DEMO_FILES.logs}/*.log`, 'what the processes say'],
    ['make demo-down', 'end it'],
  ];
  const width = Math.max(...lines.map(([line]) => (line.startsWith('export') ? 0 : line.length)));
  for (const [line, what] of lines) terminal.say(what === '' ? line : `${line.padEnd(width)}  # ${what}`);
}
