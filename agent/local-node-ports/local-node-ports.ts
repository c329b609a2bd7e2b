import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import { StagedChanges } from '../staged-changes.ts';
import { ListenerSet } from '../web/listener-set.ts';
import { decideLocalNodePorts, type LocalNodePort } from './decide-local-node-ports.ts';
import { type Ending, joinSockets } from './join-sockets.ts';

export interface LocalNodePortsOptions {
  /** The node's own address of a family at which node ports answer; undefined: none. */
  nodeAddress: (family: Family) => string | undefined;
  /** A connection ended, or was turned away: there were too many. */
  onEnd: (ending: Ending | 'refused') => void;
  /** `problems` changed. */
  onChange: () => void;
  log: Logger;
  firstRetryMs?: number;
}

const LOOPBACK: Readonly<Record<Family, string>> = { ip: '127.0.0.1', ip6: '::1' };
/** Each takes two descriptors of the agent, which has other work to do. */
const MOST_CONNECTIONS = 2_048;

/**
 * Lets TCP node ports answer on 127.0.0.1 and ::1 too, which the kernel alone can't without opening the node's own loopback
 * services to others (KEP-6032). Each connection is taken here and goes on to the same port of the node's own address, so
 * that endpoints, affinity and policies are those of the node port. Connections outlive the listening.
 */
export class LocalNodePorts implements ServiceObserver {
  readonly #options: LocalNodePortsOptions;
  readonly #listeners: ListenerSet;
  readonly #ports = new Map<string, LocalNodePort[]>();
  readonly #staged = new StagedChanges<LocalNodePort[]>();
  readonly #clients = new Set<Socket>();

  constructor(options: LocalNodePortsOptions) {
    this.#options = options;
    this.#listeners = new ListenerSet({
      ...options,
      create: (id) => this.#createServer(id),
      onFailure: ({ service, host, port }, error) =>
        options.log.warn('LocalNodePortFailed', { service, host, port, error }),
    });
  }

  compiled(key: string, inputs: ServedInputs | undefined): void {
    const ports = inputs === undefined ? [] : decideLocalNodePorts(inputs);
    if (ports.length > 0 || this.#ports.has(key) || this.#staged.has(key)) this.#staged.set(key, ports);
  }

  taken(): void {
    this.#staged.take();
  }

  takenApplied(): void {
    const changes = this.#staged.handOut();
    if (changes.length === 0) return;
    for (const [key, ports] of changes) {
      if (ports.length === 0) this.#ports.delete(key);
      else this.#ports.set(key, ports);
    }
    const listens = Array.from(this.#ports, ([service, ports]) =>
      ports.map(({ family, port }) => ({ host: LOOPBACK[family], port, service })),
    );
    this.#listeners.want(listens.flat());
  }

  applied(): void {}

  /** Connections that are open. */
  get open(): number {
    return this.#clients.size;
  }

  /** Node ports that don't answer on the loopback address, and why. */
  problems(): string[] {
    return this.#listeners.failures.map(
      ([{ service, host, port }, error]) => `node port of ${service} at ${host} ${port}: ${error.message}`,
    );
  }

  /** Resolves when every port has been tried. */
  settled(): Promise<void> {
    return this.#listeners.settled();
  }

  async stop(): Promise<void> {
    await this.#listeners.stop();
    for (const client of this.#clients) client.destroy();
  }

  #createServer(id: string): Server {
    return createServer({ allowHalfOpen: true }, (client) => void this.#serve(client, id));
  }

  async #serve(client: Socket, id: string): Promise<void> {
    const listen = this.#listeners.find(id);
    const family = listen?.host === LOOPBACK.ip6 ? 'ip6' : 'ip';
    const address = this.#options.nodeAddress(family);
    if (listen === undefined || address === undefined || this.#clients.size >= MOST_CONNECTIONS) {
      client.on('error', () => {});
      client.resetAndDestroy();
      this.#options.onEnd('refused');
      return;
    }
    this.#clients.add(client);
    const ending = await joinSockets(client, address, listen.port);
    this.#clients.delete(client);
    this.#options.onEnd(ending);
  }
}
