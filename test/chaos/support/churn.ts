import type { KubeClient } from '../../../kube/client.ts';
import { SERVICES } from '../../../kube/resources.ts';
import type { Random } from './random.ts';

export interface ChurnOptions {
  client: KubeClient;
  namespace: string;
  provider: string;
  random: Random;
  /** So many Services are there on the average. */
  population: number;
  /** Pause after each change. */
  pauseMs: number;
}

/** Services of several sorts that come and go until it is stopped. */
export class Churn {
  readonly #options: ChurnOptions;
  readonly #names = new Set<string>();
  #next = 0;
  #running: Promise<void> | undefined;
  #stopped = false;
  created = 0;
  deleted = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
  }

  get names(): string[] {
    return [...this.#names];
  }

  async fill(): Promise<void> {
    const missing = this.#options.population - this.#names.size;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#create()));
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async deleteAll(): Promise<void> {
    await Promise.all(this.names.map((name) => this.#delete(name)));
  }

  async #run(): Promise<void> {
    const { random, population, pauseMs } = this.#options;
    while (!this.#stopped) {
      // The fuller, the likelier a deletion.
      const name = random.pick(this.names);
      if (name !== undefined && random.next() < this.#names.size / (2 * population)) await this.#delete(name);
      else await this.#create();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #create(): Promise<void> {
    const { client, namespace, provider, random } = this.#options;
    const index = this.#next++;
    const name = `s-${index}`;
    const sort = random.next();
    const shared = sort < 0.2 ? { 'fairlead.dev/shared-address': `key-${random.between(0, 4)}` } : {};
    this.#names.add(name);
    await client.create(SERVICES, {
      metadata: { name, namespace, annotations: shared },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: `fairlead.dev/${provider}`,
        // Its own number, so that no two under one key clash.
        ports: [{ name: 'main', port: 1_000 + (index % 60_000) }],
        ...(sort > 0.6 && sort < 0.8 ? { allocateLoadBalancerNodePorts: false } : {}),
        ...(sort > 0.8 ? { ipFamilyPolicy: 'PreferDualStack' as const } : {}),
      },
    });
    this.created++;
  }

  async #delete(name: string): Promise<void> {
    this.#names.delete(name);
    await this.#options.client.delete(SERVICES, this.#options.namespace, name);
    this.deleted++;
  }
}
