import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { Provider } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import type { ReconcileContext } from './context.ts';

export interface GreeterOptions {
  /** How often the providers are looked at, in memory. @default 1000 */
  tickMs?: number | undefined;
  /** After this, one that can't serve is asked again. @default 10000 */
  againMs?: number | undefined;
}

type GreeterContext = Pick<ReconcileContext, 'providers' | 'log'> & {
  compiled: Pick<ReconcileContext['compiled'], 'providers'>;
};

interface Greeting {
  generation: number | undefined;
  /** Infinity as long as it isn't answered. */
  endedAt: number;
}

/**
 * Asks providers that only asking tells of, when they are configured, and again as long as they can't serve. What comes of it
 * is told by their `readiness`; those that wait for one are woken by it.
 */
export class ProviderGreeter {
  readonly #context: GreeterContext;
  readonly #options: GreeterOptions;
  readonly #stopping = new AbortController();
  readonly #greetings = new Map<string, Greeting>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: GreeterContext, options: GreeterOptions = {}) {
    this.#context = context;
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#options.tickMs ?? 1_000);
    this.#timer.unref();
    this.#tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #tick(): void {
    const { compiled, providers } = this.#context;
    for (const name of this.#greetings.keys()) {
      if (!compiled.providers.has(name)) this.#greetings.delete(name);
    }
    for (const { object, findings } of compiled.providers.values()) {
      const type = providerTypeOf(object.spec);
      const provider = type === undefined ? undefined : providers.get(type);
      if (provider?.greet === undefined || findings.length > 0 || !this.#isDue(provider, object)) continue;
      const greeting = this.#greet(provider, object).finally(() => this.#running.delete(greeting));
      this.#running.add(greeting);
    }
  }

  #isDue(provider: Provider, { metadata, spec }: LoadBalancerProvider): boolean {
    const before = this.#greetings.get(metadata.name);
    if (before === undefined || before.generation !== metadata.generation) return true;
    const isOver = performance.now() - before.endedAt >= (this.#options.againMs ?? 10_000);
    return isOver && provider.readiness?.(spec) !== undefined;
  }

  async #greet(provider: Provider, { metadata, spec }: LoadBalancerProvider): Promise<void> {
    const { generation, name } = metadata;
    const greeting: Greeting = { generation, endedAt: Number.POSITIVE_INFINITY };
    this.#greetings.set(name, greeting);
    const { signal } = this.#stopping;
    try {
      await provider.greet?.({ name, spec }, signal);
    } catch (error) {
      if (!signal.aborted) this.#context.log.info('ProviderNotReady', { provider: name, error });
    } finally {
      greeting.endedAt = performance.now();
    }
  }
}
