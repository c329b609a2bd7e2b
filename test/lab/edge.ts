import { join } from 'node:path';
import { type Lab, NAMESPACE, RUN_DIR } from './lab.ts';
import { LabProcess } from './lab-process.ts';
import { type LabMachine, labEdge } from './network/addresses.ts';
import { addMachine } from './network/apply-network.ts';

const MAIN = new URL('../../edge/main.ts', import.meta.url).pathname;
const PAGES = 'http://127.0.0.1:10359';
const READY_MS = 30_000;

/** A machine beside the lab's nodes, in both networks: no part of the cluster, with `fairlead edge` and a real HAProxy. */
export class LabEdge {
  readonly machine: LabMachine;
  readonly process: LabProcess;
  readonly #lab: Lab;

  private constructor(lab: Lab, machine: LabMachine, process: LabProcess) {
    this.#lab = lab;
    this.machine = machine;
    this.process = process;
  }

  /** Starts the machine of this number, from 1, for a provider; resolves once the edge answers. */
  static async start(lab: Lab, provider: string, number = 1): Promise<LabEdge> {
    const machine = labEdge(number);
    await addMachine(machine);
    const kubeconfig = await lab.controlPlane.serviceAccountKubeconfig(NAMESPACE, 'fairlead-edge');
    const process_ = new LabProcess({
      name: machine.name,
      namespace: machine.name,
      command: [
        process.execPath,
        MAIN,
        `--provider=${provider}`,
        `--name=${machine.name}`,
        `--kubeconfig=${kubeconfig}`,
        `--folder=${join(RUN_DIR, machine.name)}`,
      ],
      logFile: join(lab.logDir, `${machine.name}.log`),
    });
    const edge = new LabEdge(lab, machine, process_);
    process_.start();
    await process_.untilReady(async () => (await edge.page('/livez')) === 'ok\n', READY_MS);
    return edge;
  }

  /** What the edge answers there: `/healthz`, `/metrics`. */
  async page(path: string): Promise<string> {
    const ask = ['curl', '--silent', '--max-time', '2', `${PAGES}${path}`];
    return (await this.#lab.exec(this.machine.name, ask)).stdout;
  }

  /** How often its HAProxy took in a configuration since the edge began. */
  async reloads(): Promise<number> {
    const [, count] = /^fairlead_edge_reloads_total (\d+)$/m.exec(await this.page('/metrics')) ?? [];
    if (count === undefined) throw new Error(`${this.machine.name} does not say how often it reloaded`);
    return Number(count);
  }

  /** Ends edge and HAProxy: the latter outlives the former. */
  async stop(): Promise<void> {
    await this.process.kill();
    const pidFile = join(RUN_DIR, this.machine.name, 'haproxy.pid');
    await this.#lab.exec(this.machine.name, ['sh', '-c', `kill -TERM $(cat ${pidFile})`]);
  }
}
