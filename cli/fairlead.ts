#!/usr/bin/env node
/** `fairlead <command> [flags]`: each command is a program of its own, which reads the flags that are left. */
interface Command {
  help: string;
  start: () => Promise<unknown>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  agent: { help: 'forwards the traffic of a node', start: () => import('../agent/main.ts') },
  edge: { help: 'drives the HAProxy beside it', start: () => import('../edge/main.ts') },
  operator: { help: 'decides, and talks to providers', start: () => import('../operator/main.ts') },
  'webhook-test': {
    help: 'tests a server for the provider webhook',
    start: () => import('../providers/webhook/conformance/main.ts'),
  },
};

const [command = ''] = process.argv.splice(2, 1);
const known = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
if (known !== undefined) await known.start();
else if (['help', '--help', '-h'].includes(command)) {
  const lines = Object.entries(COMMANDS).map(([name, { help }]) => `  fairlead ${name.padEnd(14)}${help}`);
  process.stdout.write(`${[...lines, '', 'Each tells its flags with --help.'].join('\n')}\n`);
} else {
  process.stderr.write(`usage: fairlead ${Object.keys(COMMANDS).join('|')} [flags]\n`);
  process.exitCode = 2;
}
