import { execFileSync } from 'node:child_process';

/** Where the API server listens, and the endpoints of sentinels. */
export const HOST_ADDRESS = '10.89.0.1';
/** The one node of the cluster that is measured. */
export const NODE = { name: 'node-1', address: '10.89.0.2' } as const;
/** All endpoints but the sentinels' are in it. */
export const CLUSTER_CIDR = '10.128.0.0/9';

const NETNS = 'proxied';
/** What runs a command on the node. */
export const ON_NODE: readonly string[] = ['ip', 'netns', 'exec', NETNS];

/** The network between this namespace, where the API server runs, and the node. To be called once. */
export function makeNetwork(): void {
  for (const command of [
    'link add nodes type bridge',
    `addr add ${HOST_ADDRESS}/24 dev nodes`,
    'link set nodes up',
  ]) {
    ip(command);
  }
}

/** A network namespace as the node. Each proxy gets a new one: nothing of another is left. */
export function makeNode(): void {
  const commands = [
    `netns add ${NETNS}`,
    `link add to-node type veth peer name eth0 netns ${NETNS}`,
    'link set to-node master nodes up',
    `-n ${NETNS} addr add ${NODE.address}/24 dev eth0`,
    `-n ${NETNS} link set eth0 up`,
    `-n ${NETNS} link set lo up`,
    `-n ${NETNS} route add default via ${HOST_ADDRESS}`,
  ];
  for (const command of commands) ip(command);
}

/** To be called when nothing runs there any more: the kernel then drops all its rules. */
export function removeNode(): void {
  ip('link delete to-node');
  ip(`netns delete ${NETNS}`);
}

/** Runs a command on the node; returns what it printed. */
export function runOnNode(...words: string[]): string {
  const [command = '', ...args] = [...ON_NODE, ...words];
  return execFileSync(command, args, { maxBuffer: 2 ** 29, stdio: ['ignore', 'pipe', 'inherit'] }).toString();
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '), { stdio: 'inherit' });
}
