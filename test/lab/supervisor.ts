/**
 * The demo's one process outside of the namespaces, detached from the terminal: holds the lab, and passes connections from
 * this machine on to its API server. It ends, and everything with it, when the lab ends, on SIGTERM, and when the
 * demo that started it goes away (its stdin closes) before having said `keep`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { boundCommand } from '../controlplane/bound-command.ts';
import { ControlClient } from './control/control-client.ts';
import { pipePort, portOf } from './control/pipe-port.ts';
import { DEMO_FILES } from './demo-files.ts';

const LAB_SERVER = new URL('lab-server.ts', import.meta.url).pathname;
/** A second SIGTERM, for a lab that was only just being started at the first. */
const AGAIN_MS = 500;
const STOP_MS = 2_000;
/** The last of scripts/in-namespaces' own shells are gone by then, and what was killed outright too. */
const GONE_MS = 200;

let kept = false;
let stopping = false;

const lab = spawn(...boundCommand('scripts/in-namespaces', [process.execPath, LAB_SERVER]), {
  stdio: ['ignore', 'inherit', 'inherit'],
});
const ended = once(lab, 'exit');

function stop(): void {
  if (stopping) return;
  stopping = true;
  lab.kill('SIGTERM');
  setTimeout(() => lab.kill('SIGTERM'), AGAIN_MS);
  setTimeout(() => lab.kill('SIGKILL'), STOP_MS);
}

process.on('SIGTERM', stop);
process.on('SIGHUP', () => {});
process.stdin.on('data', (text) => {
  kept ||= text.toString().includes('keep');
});
process.stdin.on('end', () => {
  if (!kept) stop();
});

async function openApi(): Promise<void> {
  const server = await pipePort({ host: '127.0.0.1', port: 0 }, { path: DEMO_FILES.api });
  const control = await connectControl();
  const { kubeconfig } = await control.call('ready', {});
  control.close();
  const config = parse(kubeconfig);
  config.clusters[0].cluster.server = `https://127.0.0.1:${portOf(server)}`;
  writeFileSync(DEMO_FILES.kubeconfig, stringify(config), { mode: 0o600 });
}

async function connectControl(): Promise<ControlClient> {
  for (;;) {
    try {
      return await ControlClient.connect(DEMO_FILES.control);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

openApi().catch((error: unknown) => {
  console.error(error);
  // The demo hears of the failure from the lab itself, and decides.
});
await ended;
await new Promise((resolve) => setTimeout(resolve, GONE_MS));
for (const file of Object.values(DEMO_FILES))
  if (file !== DEMO_FILES.logs && file !== DEMO_FILES.log) rmSync(file, { force: true });
process.exit(0);
