/**
 * `make demo`: a cluster on this machine, and the product at work on it. The cluster stays until `make demo-down`; with
 * DEMO=once it is shown and ended. PROVIDER=aws shows load balancers of AWS in the place of the nodes' own,
 * PROVIDER=haproxy an HAProxy outside of the cluster, PROVIDER=bigip a stand-in for an F5 BIG-IP. Exit status 0: every claim held. Interrupted, it leaves nothing.
 */
import { DemoLab, removeDemoFiles, stopDemoLab } from './demo/demo-lab.ts';
import {
  sayHowToAskCloud,
  sayHowToAskDevice,
  sayHowToAskEdge,
  sayHowToGoOn,
} from './demo/say-how-to-go-on.ts';
import { showAddress } from './demo/show-address.ts';
import { showCloud } from './demo/show-cloud.ts';
import { showDevice } from './demo/show-device.ts';
import { showEdge } from './demo/show-edge.ts';
import { showNodeLoss } from './demo/show-node-loss.ts';
import { showReadiness } from './demo/show-readiness.ts';
import { showSpread } from './demo/show-spread.ts';
import { formatMs, Terminal } from './demo/terminal.ts';
import { DEMO_FILES } from './demo-files.ts';
import type { LabStep } from './lab.ts';

const STEPS: Record<LabStep, string> = {
  network: 'three nodes and a client outside: networks',
  controlPlane: 'etcd, kube-apiserver, kube-controller-manager, kube-scheduler',
  nodes: 'a kubelet on each node',
  product: "Fairlead's CRDs and rights, one operator, three agents",
};
const NEXT: Partial<Record<LabStep, LabStep>> = {
  network: 'controlPlane',
  controlPlane: 'nodes',
  nodes: 'product',
};

/** Answers how to say what to try then. */
type Show = (lab: DemoLab, terminal: Terminal) => Promise<() => void>;

/** What there is to see of each provider. */
const SHOWS: Record<string, Show> = {
  announce: async (lab, terminal) => {
    const addresses = await showAddress(lab, terminal);
    await showSpread(lab, terminal, addresses);
    await showReadiness(lab, terminal, addresses);
    await showNodeLoss(lab, terminal, addresses);
    return () => sayHowToGoOn(terminal, addresses);
  },
  aws: async (lab, terminal) => {
    await showCloud(lab, terminal);
    return () => sayHowToAskCloud(terminal);
  },
  haproxy: async (lab, terminal) => {
    const shown = await showEdge(lab, terminal);
    return () => sayHowToAskEdge(terminal, shown);
  },
  bigip: async (lab, terminal) => {
    const access = await showDevice(lab, terminal);
    return () => sayHowToAskDevice(terminal, access);
  },
};

const once = process.env.DEMO === 'once';
const provider = process.env.PROVIDER || 'announce';
const terminal = new Terminal();
let interrupted = false;

async function interrupt(status: number): Promise<void> {
  if (interrupted) return;
  interrupted = true;
  terminal.error('interrupted: ending everything');
  await stopDemoLab();
  removeDemoFiles();
  process.exit(status);
}
process.on('SIGINT', () => void interrupt(130));
process.on('SIGTERM', () => void interrupt(143));
process.on('SIGHUP', () => void interrupt(129));
// Whoever reads, `head` say, went away.
process.stdout.on('error', () => void interrupt(141));

async function start(): Promise<DemoLab> {
  terminal.heading('A cluster on this machine');
  terminal.wait(STEPS.network);
  let lastMs = 0;
  const lab = await DemoLab.start((told) => {
    if (told.kind !== 'step') return;
    terminal.done(STEPS[told.step], told.ms - lastMs);
    lastMs = told.ms;
    const next = NEXT[told.step];
    if (next) terminal.wait(STEPS[next]);
  });
  terminal.command('kubectl get nodes -o wide');
  terminal.output(await lab.ask('get', 'nodes', '-o', 'wide'));
  return lab;
}

async function run(show: Show): Promise<void> {
  const startedAt = performance.now();
  const lab = await start();
  const goOn = await show(lab, terminal);
  const verdict = terminal.failed === 0 ? 'Every claim held' : `${terminal.failed} claims did not hold`;
  terminal.heading(`${verdict}; ${formatMs(performance.now() - startedAt)} in all.`);
  if (once) {
    await stopDemoLab();
    if (terminal.failed === 0) removeDemoFiles();
  } else {
    goOn();
    lab.keep();
  }
}

const show = SHOWS[provider];
if (show === undefined) {
  // Said before anything is begun or ended: a demo that runs goes on.
  terminal.error(`PROVIDER is one of ${Object.keys(SHOWS).join(', ')}, not "${provider}"`);
  process.exitCode = 2;
} else {
  try {
    await run(show);
    process.exitCode = terminal.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!interrupted) {
      terminal.error(error instanceof Error ? error.message : String(error));
      terminal.aside(`The logs are in ${DEMO_FILES.logs}.`);
      await stopDemoLab();
      process.exitCode = 1;
    }
  }
}
