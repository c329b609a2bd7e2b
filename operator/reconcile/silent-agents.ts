import type { NodeForwarder } from '../../crds/node-forwarder.ts';
import { NODE_FORWARDERS } from '../../crds/resources.ts';
import { applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findCondition } from '../../kube/conditions.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import type { Store } from '../../kube/store.ts';
import { FIELD_MANAGER } from '../plan/names.ts';
import { REASONS } from '../status/reasons.ts';
import type { Agents } from './agents.ts';

export interface SilentAgentsOptions {
  client: KubeClient;
  forwarders: Store<NodeForwarder>;
  agents: Pick<Agents, 'isLive'>;
  /** RFC 3339. */
  now: () => string;
  log: Logger;
  /**
   * An agent whose Lease isn't renewed for so long is told to be silent: as long as the kubelet's silence is borne by default
   * (node-monitor-grace-period was 40 s), and longer than a restart takes. @default 40000
   */
  graceMs?: number | undefined;
  /** Between two looks. @default 5000 */
  intervalMs?: number | undefined;
}

const DEFAULT_GRACE_MS = 40_000;
const DEFAULT_INTERVAL_MS = 5_000;

/**
 * Marks the NodeForwarders of agents that were heard of and aren't any more: what stands there is what the agent said last,
 * and it can't say that it is dead. The rest of the report stays. An agent that lives again takes the condition back.
 *
 * One that never had a Lease is left alone: an agent that can't announce addresses has none, and forwards all the same.
 */
export class SilentAgents {
  readonly #options: SilentAgentsOptions;
  /** When each node's agent last gave a sign of life; `performance.now()`. */
  readonly #heardAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SilentAgentsOptions) {
    this.#options = options;
    options.forwarders.onChange(({ type, key, object }) => {
      if (type === 'Deleted') this.#heardAt.delete(key);
      // It was the agent that wrote this, though its Lease may not have been looked at since.
      else if (this.#heardAt.has(key) && !isMarked(object)) this.#heardAt.set(key, performance.now());
    });
  }

  /** Once the Leases have been looked at. */
  start(): void {
    if (this.#stopped) return;
    this.#looking = this.#look().finally(() => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.start(), this.#options.intervalMs ?? DEFAULT_INTERVAL_MS);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { forwarders, agents, graceMs = DEFAULT_GRACE_MS } = this.#options;
    for (const forwarder of forwarders.list()) {
      const { name } = forwarder.metadata;
      const now = performance.now();
      if (agents.isLive(name)) this.#heardAt.set(name, now);
      const heardAt = this.#heardAt.get(name);
      if (this.#stopped || heardAt === undefined || now - heardAt < graceMs || isMarked(forwarder)) continue;
      await this.#mark(forwarder);
    }
  }

  async #mark({ metadata: { name, uid } }: NodeForwarder): Promise<void> {
    const { client, now, log } = this.#options;
    const message =
      'The agent of this node has not renewed its Lease for a while: it is stopped, or does not reach the API server. What it said last stands here; its rules stay in the kernel and forward as it left them.';
    const condition = {
      type: 'Ready',
      status: 'Unknown',
      reason: REASONS.agentSilent,
      message,
      lastTransitionTime: now(),
    };
    const object = { metadata: { name, uid }, status: { conditions: [condition] } };
    try {
      await applyStatus(client, NODE_FORWARDERS, object, { fieldManager: FIELD_MANAGER });
      log.warn('AgentSilent', { node: name });
    } catch (error) {
      // Gone meanwhile, or tried again with the next look.
      if (!isClass(error, 'NotFound', 'Conflict')) log.warn('SilentAgentNotTold', { node: name, error });
    }
  }
}

function isMarked({ status }: NodeForwarder): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'Unknown';
}
