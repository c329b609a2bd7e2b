import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchNode, ip } from './bench-node.ts';
import { runWrk, type WrkFigures, type WrkLoad } from './run-wrk.ts';
import { ENDPOINT_PORT } from './service-load.ts';

/** Within the cluster's CIDR, and the same on every data plane: they have nothing in common but the API server. */
const CLIENT = '10.240.1.2';
export const SERVERS = ['10.240.2.2', '10.240.2.3'] as const;
export const LARGE_PATH = '/large';
const LARGE_BYTES = 1_000_000;
/** Clients on one core, servers on the other: where they run is no matter of luck. */
const CLIENT_CORE = '0';
const SERVER_CORE = '1';

/** A client and two servers that only a node joins; the servers are two addresses of one haproxy. */
export class DataPlane {
  readonly node: BenchNode;
  readonly #client: string;
  readonly #server: string;
  #haproxy: ChildProcess | undefined;

  /** `number` from 1 to 99. */
  constructor(number: number) {
    this.node = new BenchNode(number);
    this.#client = `client-${number}`;
    this.#server = `server-${number}`;
  }

  /** What runs a command on the client. */
  get clientPrefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#client];
  }

  async make(dir: string): Promise<void> {
    this.node.make();
    const { name } = this.node;
    this.#join(this.#client, 'to-client', '10.240.1.1', [CLIENT]);
    this.#join(this.#server, 'to-server', '10.240.2.1', SERVERS);
    for (const setting of [
      'net.ipv4.ip_forward=1',
      // Closed connections would fill the machine's one table of connections within a run.
      'net.netfilter.nf_conntrack_tcp_timeout_time_wait=1',
    ]) {
      ip(`netns exec ${name} sysctl -qw ${setting}`);
    }
    ip(`netns exec ${this.#client} sysctl -qw net.ipv4.ip_local_port_range=1024\t65535`);
    // Masquerading takes ports at random: the server would still hold many of them, and let a client wait for a second.
    ip(`netns exec ${this.#server} sysctl -qw net.ipv4.tcp_max_tw_buckets=0`);
    await this.#serve(dir);
  }

  /** Dials through the node. `target` is an address and port. */
  async load(target: string, load: WrkLoad): Promise<WrkFigures> {
    const prefix = [...this.clientPrefix, 'taskset', '-c', CLIENT_CORE];
    const path = load === 'throughput' ? LARGE_PATH : '/';
    return await runWrk(prefix, `http://${target}${path}`, load);
  }

  remove(): void {
    this.#haproxy?.kill('SIGKILL');
    this.node.remove();
    for (const name of [this.#client, this.#server]) ip(`netns delete ${name}`);
  }

  #join(netns: string, link: string, gateway: string, addresses: readonly string[]): void {
    const { name } = this.node;
    ip(`netns add ${netns}`);
    ip(`-n ${name} link add ${link} type veth peer name eth0 netns ${netns}`);
    ip(`-n ${name} addr add ${gateway}/24 dev ${link}`);
    ip(`-n ${name} link set ${link} up`);
    for (const address of addresses) ip(`-n ${netns} addr add ${address}/24 dev eth0`);
    ip(`-n ${netns} link set lo up`);
    ip(`-n ${netns} link set eth0 up`);
    ip(`-n ${netns} route add default via ${gateway}`);
  }

  async #serve(dir: string): Promise<void> {
    const body = join(dir, 'large-body');
    const config = join(dir, 'haproxy.cfg');
    await writeFile(body, Buffer.alloc(LARGE_BYTES, 'x'));
    await writeFile(config, haproxyConfig(body));
    const words = [
      'netns',
      'exec',
      this.#server,
      'taskset',
      '-c',
      SERVER_CORE,
      'haproxy',
      '-db',
      '-f',
      config,
    ];
    this.#haproxy = spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    await sleep(500);
    if (this.#haproxy.exitCode !== null) throw new Error('haproxy ended at its start');
  }
}

/** Answers from memory: a body has to fit into a buffer. */
function haproxyConfig(bodyFile: string): string {
  return `global
  nbthread 1
  maxconn 2000
  tune.bufsize ${LARGE_BYTES + 65_536}
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend web
  bind 0.0.0.0:${ENDPOINT_PORT}
  http-request return status 200 content-type application/octet-stream file ${bodyFile} if { path ${LARGE_PATH} }
  http-request return status 200 content-type text/plain string ok
`;
}
