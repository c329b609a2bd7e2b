import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../config/samples/webhook/server.mjs', import.meta.url));

/** What the device has of one load balancer. */
export interface DeviceEntry {
  id: { clusterId: string; namespace: string; name: string; serviceUid: string };
  config: Record<string, string>;
}

/** The sample server of config/samples/webhook as a process, with a device of its own. */
export class SampleProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  readonly #env: Record<string, string>;
  #process: ChildProcess | undefined;
  #port = 0;

  private constructor(env: Record<string, string>) {
    this.#env = env;
  }

  static async start(env: Record<string, string> = {}): Promise<SampleProcess> {
    const sample = new SampleProcess(env);
    await sample.start();
    return sample;
  }

  get port(): number {
    return this.#port;
  }

  /** On the same port as before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM], {
      env: { ...this.#env, PORT: String(this.#port), DEVICE: this.#deviceFile },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port = ''] = /^listening on (\d+)$/.exec(line) ?? [];
      if (port === '') continue;
      this.#port = Number(port);
      return;
    }
    throw new Error('the sample server ended before it listened');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** By `<clusterId>/<namespace>/<name>`. */
  get device(): Record<string, DeviceEntry> {
    return existsSync(this.#deviceFile) ? JSON.parse(readFileSync(this.#deviceFile, 'utf8')) : {};
  }

  /** Somebody at the device, past the server. */
  editDevice(edit: (device: Record<string, DeviceEntry>) => void): void {
    const { device } = this;
    edit(device);
    this.putDevice(device);
  }

  /** In the place of all that it has. */
  putDevice(device: Record<string, DeviceEntry>): void {
    writeFileSync(this.#deviceFile, JSON.stringify(device));
  }

  get #deviceFile(): string {
    return join(this.#folder, 'device.json');
  }
}
