/** A lab that is asked over its control socket: what `make demo` keeps running. Runs inside of scripts/in-namespaces. */
import { readFile } from 'node:fs/promises';
import { LabCloud } from './cloud.ts';
import { type Handlers, serveControl } from './control/control-server.ts';
import { pipePort } from './control/pipe-port.ts';
import type { ControlTold, LabStatus } from './control/protocol.ts';
import { DEMO_FILES } from './demo-files.ts';
import { LabDevice } from './device.ts';
import { LabEdge } from './edge.ts';
import { type Lab, startLab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';
import type { SteadyLoad } from './probe/client-probe.ts';

const steps: ControlTold[] = [];
const listeners = new Set<(told: ControlTold) => void>();
const loads = new Map<number, SteadyLoad>();
let cloud: LabCloud | undefined;
let edge: LabEdge | undefined;
let device: LabDevice | undefined;

const starting = startLab({
  logDir: DEMO_FILES.logs,
  onStep: (step, ms) => {
    const told: ControlTold = { kind: 'step', step, ms };
    steps.push(told);
    for (const tell of listeners) tell(told);
  },
});
const opened = starting.then(async (lab): Promise<LabStatus> => {
  const { hostname: host, port } = new URL(lab.controlPlane.url);
  await pipePort({ path: DEMO_FILES.api }, { host, port: Number(port) });
  return {
    kubeconfig: await readFile(lab.controlPlane.kubeconfig, 'utf8'),
    kubectlPath: await lab.controlPlane.kubectlPath(),
  };
});
// Told to whoever asks `ready`.
opened.catch(() => {});

function processOf(lab: Lab, { process, node = '' }: { process: string; node?: string }): LabProcess {
  if (process === 'operator') return lab.operator;
  if (process === 'agent') return lab.agent(node);
  if (process === 'kubelet') return lab.kubelet(node);
  if (process === 'edge' && edge !== undefined) return edge.process;
  throw new Error(`no process ${process}: operator, agent, kubelet, or edge where there is one`);
}

function cloudOf(): LabCloud {
  if (cloud === undefined) throw new Error('no cloud was started');
  return cloud;
}

function deviceOf(): LabDevice {
  if (device === undefined) throw new Error('no device was started');
  return device;
}

const handlers: Handlers = {
  ready: async (_, tell) => {
    steps.forEach(tell);
    listeners.add(tell);
    try {
      return await opened;
    } finally {
      listeners.delete(tell);
    }
  },
  exec: async ({ namespace, command }, tell) => {
    const onOutput = (stream: 'stdout' | 'stderr', text: string) => tell({ kind: 'output', stream, text });
    const { status } = await (await starting).exec(namespace, command, { onOutput });
    return { status };
  },
  nodeDown: async ({ node }) => {
    await (await starting).nodeDown(node);
    return null;
  },
  nodeUp: async ({ node }) => {
    await (await starting).nodeUp(node);
    return null;
  },
  kill: async (which) => {
    await processOf(await starting, which).kill();
    return null;
  },
  start: async (which) => {
    processOf(await starting, which).start();
    return null;
  },
  request: async (request) => await (await starting).client.request(request),
  steady: async ({ request, perSecond }) => {
    const load = await (await starting).client.steady(request, perSecond);
    const number = loads.size + 1;
    loads.set(number, load);
    return number;
  },
  stopSteady: async ({ load }) => (await loads.get(load)?.stop()) ?? [],
  startEdge: async ({ provider }) => {
    edge ??= await LabEdge.start(await starting, provider);
    const { name, outside } = edge.machine;
    return { name, outside: outside.v4 };
  },
  startCloud: async () => {
    cloud ??= await LabCloud.start(await starting);
    return { endpoint: cloud.endpoint, ...cloud.credentials };
  },
  cloudCalls: async () => cloudOf().calls(),
  resetCloudCalls: async () => {
    cloudOf().resetCalls();
    return null;
  },
  askCloud: async ({ service, operation, parameters }) => await cloudOf().ask(service, operation, parameters),
  startDevice: async () => {
    await starting;
    device ??= await LabDevice.start();
    return device.access;
  },
  deviceDeclarations: async () => deviceOf().declarations(),
  resetDeviceCalls: async () => {
    deviceOf().resetCalls();
    return null;
  },
  deviceState: async () => deviceOf().state(),
  editDeviceMember: async ({ pool, member, session }) => {
    deviceOf().editMember(pool, member, session);
    return null;
  },
  stop: async () => {
    // PID 1 ends with this process, and every other process of the lab with PID 1.
    setTimeout(() => process.exit(0), 50);
    return null;
  },
};

serveControl(DEMO_FILES.control, handlers);
