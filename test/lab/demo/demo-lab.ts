import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile as writeFileAsync } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ControlClient } from '../control/control-client.ts';
import type { ControlTold } from '../control/protocol.ts';
import { DEMO_DIR, DEMO_FILES } from '../demo-files.ts';
import { identify, isAlive, type ProcessRecord } from '../process-identity.ts';
import { type CommandResult, runCommand } from '../run-command.ts';

const SUPERVISOR = new URL('../supervisor.ts', import.meta.url).pathname;
const POLL_MS = 20;
const STOP_MS = 10_000;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** The supervisor of the demo's lab, when one runs. */
function runningSupervisor(): ProcessRecord | undefined {
  if (!existsSync(DEMO_FILES.state)) return undefined;
  const record: ProcessRecord = JSON.parse(readFileSync(DEMO_FILES.state, 'utf8'));
  return isAlive(record) ? record : undefined;
}

/** Ends the demo's lab and everything in it; false when there was none. Throws when it can't be ended. */
export async function stopDemoLab(): Promise<boolean> {
  const supervisor = runningSupervisor();
  if (!supervisor) return false;
  process.kill(supervisor.pid, 'SIGTERM');
  await untilGone(supervisor);
  return true;
}

/** Takes the demo's files away, logs too. */
export function removeDemoFiles(): void {
  rmSync(DEMO_DIR, { recursive: true, force: true });
}

async function untilGone(supervisor: ProcessRecord): Promise<void> {
  const deadline = performance.now() + STOP_MS;
  while (isAlive(supervisor)) {
    // The kernel ends all of the lab with it.
    if (performance.now() > deadline) process.kill(supervisor.pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
}

/** A lab in the background, driven from the user's own network namespace. */
export class DemoLab {
  readonly control: ControlClient;
  readonly #keep: () => void;

  private constructor(control: ControlClient, keep: () => void) {
    this.control = control;
    this.#keep = keep;
  }

  /** Starts it, in the place of one that runs. Until `keep`, it ends with this process. */
  static async start(tell: (told: ControlTold) => void): Promise<DemoLab> {
    await stopDemoLab();
    removeDemoFiles();
    mkdirSync(DEMO_FILES.logs, { recursive: true });
    const log = openSync(DEMO_FILES.log, 'a');
    const supervisor = spawn(process.execPath, [SUPERVISOR], { detached: true, stdio: ['pipe', log, log] });
    // Before anything can interrupt: whoever stops the demo finds it here.
    writeFileSync(DEMO_FILES.state, JSON.stringify(identify(supervisor.pid ?? 0)));
    const { stdin } = supervisor;
    stdin?.on('error', () => {});
    const ended = new Promise<never>((_, reject) => {
      supervisor.once('error', reject);
      supervisor.once('exit', () => reject(new Error(`the lab ended: ${tailOf(DEMO_FILES.log)}`)));
    });
    // Looked at only while something is awaited beside it.
    ended.catch(() => {});
    const control = await Promise.race([connectControl(), ended]);
    const { kubectlPath } = await Promise.race([control.call('ready', {}, tell), ended]);
    symlinkSync(kubectlPath.includes('/') ? kubectlPath : await which(kubectlPath), DEMO_FILES.kubectl);
    while (!existsSync(DEMO_FILES.kubeconfig)) await sleep(POLL_MS);
    return new DemoLab(control, () => {
      stdin?.end('keep');
      supervisor.unref();
    });
  }

  /** Lets the lab run on after this process. */
  keep(): void {
    this.#keep();
    this.control.close();
  }

  /** kubectl from outside of the lab, by way of its forwarded port. */
  kubectl(
    args: readonly string[],
    onOutput?: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<CommandResult> {
    return runCommand([resolve(DEMO_FILES.kubectl), ...args], {
      env: {
        ...process.env,
        KUBECONFIG: resolve(DEMO_FILES.kubeconfig),
        KUBECACHEDIR: resolve(DEMO_DIR, 'kubectl-cache'),
      },
      ...(onOutput && { onOutput: (_: string, text: string) => onOutput(text) }),
      ...(signal && { signal }),
    });
  }

  /** kubectl that has to succeed: its standard output. */
  async ask(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.kubectl(args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
    return stdout;
  }

  /** Writes a manifest beside the demo's other files: its path. */
  async writeFile(name: string, text: string): Promise<string> {
    const path = `${DEMO_DIR}/${name}`;
    await writeFileAsync(path, text);
    return path;
  }

  /** Runs a program in a node's or the client's network namespace: its standard output. */
  async exec(namespace: string, ...command: string[]): Promise<string> {
    let output = '';
    await this.control.call('exec', { namespace, command }, (told) => {
      if (told.kind === 'output' && told.stream === 'stdout') output += told.text;
    });
    return output;
  }
}

async function connectControl(): Promise<ControlClient> {
  for (;;) {
    try {
      return await ControlClient.connect(DEMO_FILES.control);
    } catch {
      await sleep(POLL_MS);
    }
  }
}

async function which(program: string): Promise<string> {
  return (await runCommand(['sh', '-c', `command -v ${program}`])).stdout.trim();
}

function tailOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-2_000).trim() : '';
}
