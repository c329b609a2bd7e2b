import { execFileSync } from 'node:child_process';

/** Where the API server listens, and the endpoints of sentinels. */
export const HOST_ADDRESS = '10.89.0.1';
/** All endpoints but the sentinels' are in it. */
export const CLUSTER_CIDR = '10.128.0.0/9';

const BRIDGE = 'nodes';

/** The network between this namespace, where the API server runs, and the nodes. To be called once. */
export function makeNetwork(): void {
  ip(`link add ${BRIDGE} type bridge`);
  ip(`addr add ${HOST_ADDRESS}/24 dev ${BRIDGE}`);
  ip(`link set ${BRIDGE} up`);
}

/** A node of the cluster: a network namespace with a link to this one. */
export class BenchNode {
  readonly name: string;
  readonly address: string;

  /** `number` from 1 to 99. */
  constructor(number: number) {
    this.name = `node-${number}`;
    this.address = `10.89.0.${number + 1}`;
  }

  /** What runs a command there. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  make(): void {
    ip(`netns add ${this.name}`);
    ip(`link add ${this.name} type veth peer name eth0 netns ${this.name}`);
    ip(`link set ${this.name} master ${BRIDGE} up`);
    ip(`-n ${this.name} addr add ${this.address}/24 dev eth0`);
    ip(`-n ${this.name} link set eth0 up`);
    ip(`-n ${this.name} link set lo up`);
    ip(`-n ${this.name} route add default via ${HOST_ADDRESS}`);
  }

  /** To be called when nothing runs there any more: the kernel then drops all its rules. */
  remove(): void {
    ip(`link delete ${this.name}`);
    ip(`netns delete ${this.name}`);
  }

  /** Runs a command there; returns what it printed. */
  run(...words: string[]): string {
    const [command = '', ...args] = [...this.prefix, ...words];
    return execFileSync(command, args, {
      maxBuffer: 2 ** 29,
      stdio: ['ignore', 'pipe', 'inherit'],
    }).toString();
  }
}

/** Runs `ip`, with words that have no spaces in them. */
export function ip(command: string): void {
  execFileSync('ip', command.split(' '), { stdio: 'inherit' });
}
