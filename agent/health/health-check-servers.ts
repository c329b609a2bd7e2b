import { createServer, Server as HttpServer } from 'node:http';
import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import { StagedChanges } from '../staged-changes.ts';
import { type Listen, ListenerSet } from '../web/listener-set.ts';
import type { ListenAddresses } from './choose-listen-addresses.ts';
import { decideHealthCheck, type HealthCheck } from './decide-health-checks.ts';
import { type HealthAnswer, renderHealthAnswer } from './render-health-answer.ts';

export interface HealthCheckServersOptions {
  nodeName: string;
  /** Where to listen; undefined: where it did before. */
  addresses: () => ListenAddresses | undefined;
  /** Whether this agent keeps up with the cluster. */
  proxyHealthy: () => boolean;
  /** A Service (`namespace/name`) can't be answered for at its port. */
  onFailure: (service: string, port: number, error: Error) => void;
  /** `problems` changed. */
  onChange: () => void;
  log: Logger;
  firstRetryMs?: number;
}

/** More at once than any load balancer asks; more would be no health check. */
const MOST_CONNECTIONS = 256;
const LONGEST_REQUEST_MS = 10_000;

/**
 * Answers load balancers that ask at a Service's `healthCheckNodePort` whether this node has endpoints of it. The answer
 * changes once the kernel forwards accordingly, never before.
 */
export class HealthCheckServers implements ServiceObserver {
  readonly #options: HealthCheckServersOptions;
  readonly #listeners: ListenerSet;
  readonly #checks = new Map<string, HealthCheck>();
  /** Compiled, and not in the kernel yet. */
  readonly #staged = new StagedChanges<HealthCheck | null>();
  #addresses: ListenAddresses = { ip: [], ip6: [] };
  #places = '';

  constructor(options: HealthCheckServersOptions) {
    this.#options = options;
    this.#listeners = new ListenerSet({
      ...options,
      create: (id) => this.#createServer(id),
      end: (server) => {
        if (server instanceof HttpServer) server.closeAllConnections();
      },
      onFailure: ({ service, port }, error) => options.onFailure(service, port, error),
    });
  }

  compiled(key: string, inputs: ServedInputs | undefined): void {
    const check = inputs === undefined ? null : decideHealthCheck(inputs, this.#options.nodeName);
    if (check !== null || this.#checks.has(key) || this.#staged.has(key)) this.#staged.set(key, check);
  }

  taken(): void {
    this.#staged.take();
  }

  takenApplied(): void {
    const changes = this.#staged.handOut();
    if (changes.length === 0) return;
    for (const [key, check] of changes) {
      if (check === null) this.#checks.delete(key);
      else this.#checks.set(key, check);
    }
    this.refresh();
  }

  applied(): void {}

  /** The node's addresses may have changed. */
  refresh(): void {
    this.#addresses = this.#options.addresses() ?? this.#addresses;
    const places = Array.from(this.#checks, ([service, check]) => this.#placesOf(service, check)).flat();
    const text = JSON.stringify(places);
    if (text === this.#places) return;
    this.#places = text;
    this.#listeners.want(places);
  }

  /** Health checks that nobody can ask, by Service and port, and why. */
  problems(): string[] {
    return this.#listeners.failures.map(
      ([{ service, host, port }, error]) => `health check of ${service} at ${host} ${port}: ${error.message}`,
    );
  }

  /** Resolves when every place has been tried. */
  settled(): Promise<void> {
    return this.#listeners.settled();
  }

  stop(): Promise<void> {
    return this.#listeners.stop();
  }

  #placesOf(service: string, { port, localEndpoints }: HealthCheck): Listen[] {
    return [...localEndpoints.keys()].flatMap((family) =>
      this.#addresses[family].map((host) => ({ host, port, service })),
    );
  }

  #createServer(id: string): HttpServer {
    const server = createServer((request, response) => {
      // Whatever it sends, it isn't read: that must not keep the connection.
      request.resume();
      const answer = this.#answer(id);
      if (answer === undefined) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, answer.headers);
      response.end(request.method === 'HEAD' ? undefined : answer.body);
    });
    server.requestTimeout = LONGEST_REQUEST_MS;
    server.headersTimeout = LONGEST_REQUEST_MS;
    server.maxConnections = MOST_CONNECTIONS;
    return server;
  }

  #answer(id: string): HealthAnswer | undefined {
    const listen = this.#listeners.find(id);
    const check = listen === undefined ? undefined : this.#checks.get(listen.service);
    if (listen === undefined || check === undefined) return undefined;
    const family: Family = listen.host.includes(':') ? 'ip6' : 'ip';
    const { namespace, name, localEndpoints } = check;
    return renderHealthAnswer({
      namespace,
      name,
      localEndpoints: localEndpoints.get(family) ?? 0,
      proxyHealthy: this.#options.proxyHealthy(),
    });
  }
}
