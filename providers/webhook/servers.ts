import type { WebhookConfig } from '../../crds/webhook-provider.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Finding, ProviderScope } from '../provider.ts';
import type { AccessReaders } from './calls/read-access.ts';
import { type WebhookCall, WebhookClient } from './calls/webhook-client.ts';
import { CONTRACT_VERSION, OPERATIONS, type Operation } from './contract.ts';
import { Remembered } from './remembered.ts';

export interface ServersOptions extends AccessReaders {
  observeCall(call: WebhookCall): void;
  /** Told whenever something else is to be said of a LoadBalancerProvider's server. */
  tellProvider(name: string): void;
}

/** What begins every request. */
export interface Asker {
  apiVersion: typeof CONTRACT_VERSION;
  provider: { name: string; parameters: Record<string, string> };
}

/** One server, as one LoadBalancerProvider is configured to reach it. */
export interface Server {
  readonly asker: Asker;
  readonly remembered: Remembered;
  call<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Asks the server, once, whether it takes the configuration. Throws a ClassedError with what it has against it. */
  greet(signal: AbortSignal): Promise<void>;
}

interface Entry {
  /** The configuration, as text. */
  config: string;
  server: Server;
}

/** What a person has to change at the provider or at the server. */
const REFUSED_SECONDS = 60;

/** Servers by the LoadBalancerProvider: one whose configuration changed is another, of which nothing is known. */
export class Servers {
  readonly #options: ServersOptions;
  readonly #entries = new Map<string, Entry>();
  /** By configuration: why the last call failed, while nothing was answered since. */
  readonly #faults = new Map<string, Finding>();

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  of({ name, spec }: ProviderScope): Server {
    const { webhook } = spec;
    if (webhook === undefined) {
      const message = `LoadBalancerProvider "${name}" has no webhook.`;
      throw new ClassedError(message, { class: 'Rejected', reason: 'WrongProviderType' });
    }
    const config = JSON.stringify(webhook);
    const known = this.#entries.get(name);
    if (known?.config === config) return known.server;
    if (known !== undefined) this.#faults.delete(known.config);
    const server = this.#connect(name, webhook, config);
    this.#entries.set(name, { config, server });
    return server;
  }

  /** Why a server with this configuration can't be asked at present; undefined: it can, or it wasn't tried. */
  faultOf(webhook: WebhookConfig): Finding | undefined {
    return this.#faults.get(JSON.stringify(webhook));
  }

  #connect(name: string, config: WebhookConfig, key: string): Server {
    const { observeCall, readSecret, readConfigMap } = this.#options;
    const client = new WebhookClient({
      config,
      readers: { readSecret, readConfigMap },
      observe: observeCall,
    });
    const asker: Asker = {
      apiVersion: CONTRACT_VERSION,
      provider: { name, parameters: config.parameters ?? {} },
    };
    const call: Server['call'] = async (operation, request, signal) => {
      try {
        const answer = await client.call(operation, request, signal);
        this.#noteFault(name, key, undefined);
        return answer;
      } catch (error) {
        if (!signal.aborted) this.#noteFault(name, key, error);
        throw error;
      }
    };
    let greeting: Promise<void> | undefined;
    const greet = async (signal: AbortSignal) => {
      const { findings } = await call(OPERATIONS.validate, asker, signal);
      const [first] = findings;
      if (first === undefined) return;
      const all = findings.map(({ message }) => message).join(' ');
      throw new ClassedError(`The server doesn't take the configuration of provider "${name}": ${all}`, {
        class: 'Transient',
        reason: first.reason,
        retryAfterSeconds: REFUSED_SECONDS,
      });
    };
    return {
      asker,
      remembered: new Remembered(),
      call,
      greet: async (signal) => {
        greeting ??= greet(signal).catch((error: unknown) => {
          greeting = undefined;
          if (!signal.aborted) this.#noteFault(name, key, error);
          throw error;
        });
        await greeting;
      },
    };
  }

  /** What a server has against one load balancer says nothing of the server. */
  #noteFault(name: string, key: string, error: unknown): void {
    const before = this.#faults.get(key);
    if (error instanceof ClassedError && error.class === 'Transient') {
      const { reason, message } = error;
      this.#faults.set(key, { reason, message });
    } else this.#faults.delete(key);
    if (before?.message !== this.#faults.get(key)?.message) this.#options.tellProvider(name);
  }
}
