#!/usr/bin/env node
/** `fairlead <command> [flags]`: each command is a program of its own, which reads the flags that are left. */
const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  agent: () => import('../agent/main.ts'),
  edge: () => import('../edge/main.ts'),
  operator: () => import('../operator/main.ts'),
  'webhook-test': () => import('../providers/webhook/conformance/main.ts'),
};

const [command = ''] = process.argv.splice(2, 1);
const start = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
if (start === undefined) {
  process.stderr.write(`usage: fairlead ${Object.keys(COMMANDS).join('|')} [flags]\n`);
  process.exitCode = 2;
} else {
  await start();
}
