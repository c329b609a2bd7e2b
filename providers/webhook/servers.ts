import type { WebhookConfig } from '../../crds/webhook-provider.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Finding, ProviderScope } from '../provider.ts';
import type { AccessReaders } from './calls/read-access.ts';
import { type WebhookCall, WebhookClient } from './calls/webhook-client.ts';
import { CONTRACT_VERSION, OPERATIONS, type Operation, UNSUPPORTED_VERSION } from './contract.ts';
import { Patience } from './patience.ts';
import { Remembered } from './remembered.ts';

export interface ServersOptions extends AccessReaders {
  observeCall(call: WebhookCall): void;
  /** Told whenever something else is to be said of a LoadBalancerProvider's server; `recovered`: it answers again. */
  tellProvider(name: string, recovered: boolean): void;
}

/** What begins every request. */
export interface Asker {
  apiVersion: typeof CONTRACT_VERSION;
  provider: { name: string; parameters: Record<string, string>; addresses: 'Server' | 'Pools' };
}

/** One server, as one LoadBalancerProvider is configured to reach it. */
export interface Server {
  readonly asker: Asker;
  readonly remembered: Remembered;
  readonly patience: Patience;
  call<Request, Answer>(
    operation: Operation<Request, Answer>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Asks the server, once or `again`, whether it takes the configuration. Throws a ClassedError with what it has against it. */
  greet(signal: AbortSignal, again?: boolean): Promise<void>;
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
      provider: { name, parameters: config.parameters ?? {}, addresses: config.addresses ?? 'Server' },
    };
    /** What the server has against the configuration: nothing else that it answers takes that back. */
    let refusal: Finding | undefined;
    const call: Server['call'] = async (operation, request, signal) => {
      try {
        const answer = await client.call(operation, request, signal);
        this.#noteFault(name, key, refusal);
        return answer;
      } catch (error) {
        if (!signal.aborted) this.#noteFault(name, key, faultOf(error) ?? refusal);
        throw error;
      }
    };
    let greeting: { asked: Promise<void>; isOver: boolean } | undefined;
    const greet = async (signal: AbortSignal) => {
      try {
        const { findings } = await client.call(OPERATIONS.validate, asker, signal);
        refusal = gather(findings);
        this.#noteFault(name, key, refusal);
      } catch (error) {
        if (!signal.aborted) this.#noteFault(name, key, faultOf(error) ?? refusal);
        throw error;
      }
      if (refusal === undefined) return;
      throw new ClassedError(
        `The server doesn't take the configuration of provider "${name}": ${refusal.message}`,
        {
          class: 'Transient',
          reason: refusal.reason,
          retryAfterSeconds: REFUSED_SECONDS,
        },
      );
    };
    return {
      asker,
      remembered: new Remembered(),
      patience: new Patience(),
      call,
      greet: async (signal, again = false) => {
        const current =
          greeting === undefined || (again && greeting.isOver)
            ? { asked: greet(signal), isOver: false }
            : greeting;
        greeting = current;
        try {
          await current.asked;
        } catch (error) {
          if (greeting === current) greeting = undefined;
          throw error;
        } finally {
          current.isOver = true;
        }
      },
    };
  }

  #noteFault(name: string, key: string, fault: Finding | undefined): void {
    const before = this.#faults.get(key);
    if (fault === undefined) this.#faults.delete(key);
    else this.#faults.set(key, fault);
    if (before?.message !== fault?.message) this.#options.tellProvider(name, fault === undefined);
  }
}

function gather(findings: readonly Finding[]): Finding | undefined {
  const [first] = findings;
  return first && { reason: first.reason, message: findings.map(({ message }) => message).join(' ') };
}

/** What a server has against one load balancer, by the contract, says nothing of the server. */
function faultOf(error: unknown): Finding | undefined {
  if (!(error instanceof ClassedError) || error.class !== 'Transient') return undefined;
  const { code, message, reason } = error;
  const isOfServer = code === undefined || code === 401 || code === 403 || OF_THE_SERVER.has(reason);
  return isOfServer ? { reason, message } : undefined;
}

/** Of calls/read-answer.ts: whoever answered doesn't speak the contract. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  'BadAnswer',
  'Redirected',
  'ServerError',
  'UnexpectedAnswer',
  UNSUPPORTED_VERSION,
]);
