import { setTimeout as sleep } from 'node:timers/promises';
import { AgentProcess } from '../../net/support/agent-process.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { CLUSTER_CIDR } from './bench-node.ts';
import { DataPlane, SERVERS } from './data-plane.ts';
import { ServiceLoad } from './service-load.ts';
import { type DialFigures, dialSteadily } from './steady-dialer.ts';

export interface RestartFigures extends DialFigures {
  /** From each start of the process to its word that all is in the kernel. */
  restartsMs: number[];
}

export interface RestartOptions {
  services: number;
  restarts: number;
  connectionsPerSecond: number;
}

const TARGETS = 10;
const DEAD_MS = 500;
const ALIVE_MS = 1_000;
const LONGEST_START_MS = 120_000;
/** An agent that starts at 5,000 Services is about through. */
const LAST_MOMENT_MS = 1_500;

/** Kills an agent over and over, with SIGKILL and at any moment of its start too, while clients connect through it. */
export async function measureRestarts(options: RestartOptions): Promise<RestartFigures> {
  const plane = new DataPlane(1);
  const cluster = await startBenchCluster([plane.node]);
  try {
    const load = new ServiceLoad(cluster.adminClient());
    await load.grow({ services: options.services, endpoints: 2 });
    const targets: string[] = [];
    for (let index = 0; index < TARGETS; index++) {
      const { clusterIp, nodePort } = await load.addTarget(`target-${index}`, SERVERS);
      targets.push(`${clusterIp}:80`, `${plane.node.address}:${nodePort}`);
    }
    await plane.make(cluster.dir);
    return await restart(plane, cluster.kubeconfig, targets, options);
  } finally {
    await cluster.stop();
  }
}

async function restart(
  plane: DataPlane,
  kubeconfig: string,
  targets: readonly string[],
  { restarts, connectionsPerSecond }: RestartOptions,
): Promise<RestartFigures> {
  const { name } = plane.node;
  const args = [
    '--serve',
    'All',
    '--node-name',
    name,
    '--kubeconfig',
    kubeconfig,
    '--cluster-cidr',
    CLUSTER_CIDR,
  ];
  const startAgent = () => new AgentProcess(name, args);
  let agent = startAgent();
  try {
    await agent.says('Programmed', LONGEST_START_MS);
    const dialer = await dialSteadily(plane.clientPrefix, connectionsPerSecond, targets);
    const restartsMs: number[] = [];
    for (let turn = 0; turn < restarts; turn++) {
      await sleep(ALIVE_MS);
      await agent.end('SIGKILL');
      await sleep(DEAD_MS);
      // One more that dies on its way: while it reads, compiles, or writes.
      agent = startAgent();
      await sleep((LAST_MOMENT_MS * (turn + 1)) / restarts);
      await agent.end('SIGKILL');
      const startedAt = performance.now();
      agent = startAgent();
      await agent.says('Programmed', LONGEST_START_MS);
      restartsMs.push(performance.now() - startedAt);
    }
    await sleep(ALIVE_MS);
    return { ...(await dialer.stop()), restartsMs };
  } finally {
    await agent.end('SIGKILL');
    plane.remove();
  }
}
