import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isClass } from '../../../kube/errors.ts';
import { WebhookClient } from '../calls/webhook-client.ts';
import {
  CONTRACT_VERSION,
  type Desired,
  errorSchema,
  type Id,
  OPERATIONS,
  type PlannedChange,
  type State,
} from '../contract.ts';
import { isSameId } from '../same-id.ts';
import type { ConformanceConfig } from './config.ts';

/** What the server does otherwise than the contract says. */
export class Violation extends Error {}

export function check(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Violation(otherwise);
}

const PROVIDER = 'conformance';
const POLL_MS = 1_000;

/** Asks a server as Fairlead does, for a cluster that nobody has; every answer is held against its schema. */
export class Probe {
  readonly #client: WebhookClient;
  readonly #config: ConformanceConfig;
  readonly #made = new Map<string, Id>();
  /** By name: which of the pool each is told. */
  readonly #places = new Map<string, number>();
  readonly clusterId = `conformance-${randomUUID()}`;

  constructor(config: ConformanceConfig) {
    this.#config = config;
    this.#client = new WebhookClient({ config: config.webhook, readers: config.readers, observe: () => {} });
  }

  /** What begins every request. */
  get asker() {
    const { parameters = {} } = this.#config.webhook;
    const provider = {
      name: PROVIDER,
      parameters,
      addresses: this.#config.pool.length > 0 ? 'Pools' : 'Server',
    } as const;
    return { apiVersion: CONTRACT_VERSION, provider } as const;
  }

  /** Of a Service that nobody has. */
  newId(): Id {
    const service = `web-${randomUUID().slice(0, 8)}`;
    return {
      clusterId: this.clusterId,
      namespace: 'conformance',
      name: `${service}.${PROVIDER}`,
      serviceUid: randomUUID(),
    };
  }

  async validate() {
    return await this.#client.call(OPERATIONS.validate, this.asker, this.#signal);
  }

  async plan(id: Id, desired: Desired): Promise<{ changes: PlannedChange[]; state: State }> {
    return await this.#client.call(
      OPERATIONS.plan,
      { ...this.asker, id, desired: this.#place(id, desired) },
      this.#signal,
    );
  }

  /** Whether something else is to be done for this, or it is refused by the user's fault. */
  async takesNote(id: Id, desired: Desired): Promise<boolean> {
    try {
      return (await this.plan(id, desired)).changes.length > 0;
    } catch (error) {
      if (isClass(error, 'Rejected')) return true;
      throw error;
    }
  }

  async apply(id: Id, desired: Desired, operationId: string = randomUUID()): Promise<State> {
    this.#made.set(JSON.stringify(id), id);
    const request = { ...this.asker, id, operationId, desired: this.#place(id, desired) };
    const { state } = await this.#client.call(OPERATIONS.apply, request, this.#signal);
    return state;
  }

  /** Applies, and waits until the server says that it serves. */
  async applyWholly(id: Id, desired: Desired): Promise<State> {
    let state = await this.apply(id, desired);
    const deadline = performance.now() + this.#config.readyMs;
    while (state.notReady !== undefined || state.ingress.length === 0) {
      const why = state.notReady?.message ?? 'it has no address';
      check(performance.now() < deadline, `it doesn't serve within ${this.#config.readyMs / 1000} s: ${why}`);
      await pause(POLL_MS);
      ({ state } = await this.plan(id, desired));
    }
    for (const { ip } of this.#place(id, desired).addresses ?? []) {
      check(
        state.ingress.some((each) => each.ip === ip),
        `it is told to listen at ${ip}, and says ${JSON.stringify(state.ingress)}`,
      );
    }
    return state;
  }

  /** undefined: there is none. */
  async find(id: Id): Promise<State | undefined> {
    const { clusterId } = id;
    const request = { ...this.asker, clusterId, id };
    const { loadBalancers } = await this.#client.call(OPERATIONS.observe, request, this.#signal);
    check(loadBalancers.length <= 1, `observe with an id answers ${loadBalancers.length} load balancers`);
    const [found] = loadBalancers;
    if (found === undefined) return undefined;
    check(isSameId(found.id, id), `observe with an id answers another: ${JSON.stringify(found.id)}`);
    return found.state;
  }

  /** All of one cluster and LoadBalancerProvider, page by page. */
  async list(clusterId = this.clusterId, provider = PROVIDER): Promise<Id[]> {
    const { asker } = this;
    const ids: Id[] = [];
    for (let page: string | undefined, first = true; first || page !== undefined; first = false) {
      const at = page === undefined ? {} : { continue: page };
      const request = { ...asker, provider: { ...asker.provider, name: provider }, clusterId, ...at };
      const answer = await this.#client.call(OPERATIONS.observe, request, this.#signal);
      ids.push(...answer.loadBalancers.map(({ id }) => id));
      check(answer.continue !== page || page === undefined, 'observe answers the same "continue" again');
      page = answer.continue;
    }
    return ids;
  }

  /** Once; answers whether it's gone. */
  async delete(id: Id): Promise<boolean> {
    const request = { ...this.asker, id, operationId: randomUUID() };
    const { gone } = await this.#client.call(OPERATIONS.delete, request, this.#signal);
    return gone;
  }

  /** Until it's gone. */
  async deleteWholly(id: Id): Promise<void> {
    const deadline = performance.now() + this.#config.readyMs;
    while (!(await this.delete(id))) {
      check(performance.now() < deadline, `it isn't gone within ${this.#config.readyMs / 1000} s`);
      await pause(POLL_MS);
    }
    this.#made.delete(JSON.stringify(id));
  }

  /** Sends this text as it is; it has to be refused, by the user's fault and in the words of the contract. Answers the reason. */
  async refusal(operation: string, body: string): Promise<string> {
    const { code, text } = await this.#client.post(operation, body, this.#signal);
    check(code >= 400 && code < 500, `it answers HTTP ${code}, not one of 400 to 499`);
    const parsed = errorSchema.safeParse(parse(text));
    check(
      parsed.success,
      `it answers HTTP ${code} without apiVersion, reason and message: ${text.slice(0, 200)}`,
    );
    return parsed.data?.reason ?? '';
  }

  /** Takes away what is left. */
  async clean(): Promise<void> {
    for (const id of this.#made.values()) await this.deleteWholly(id);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** With an address of the pool, where there is one: another one for each that is there at once. */
  #place(id: Id, desired: Desired): Desired {
    const { pool } = this.#config;
    if (pool.length === 0) return desired;
    const place = this.#places.get(id.name) ?? this.#places.size;
    this.#places.set(id.name, place);
    const ip = pool[place % pool.length];
    return ip === undefined ? desired : { ...desired, addresses: [{ ip }] };
  }

  get #signal(): AbortSignal {
    return AbortSignal.timeout((this.#config.webhook.timeoutSeconds ?? 30) * 2_000);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
