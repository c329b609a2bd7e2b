import { isDeepStrictEqual } from 'node:util';
import type { NodeForwarder } from '../../crds/node-forwarder.ts';
import { NODE_FORWARDERS } from '../../crds/resources.ts';
import { applyObject, applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findCondition } from '../../kube/conditions.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import type { Condition, Node } from '../../kube/objects.ts';
import { buildStatus, type ForwarderFacts } from './build-status.ts';

export interface StatusReporterOptions {
  client: KubeClient;
  nodeName: string;
  /** Its NodeForwarder goes with the Node. */
  node: () => Node | undefined;
  facts: () => ForwarderFacts;
  log: Logger;
  /** The first report waits this long for more. @default 500 */
  settleMs?: number;
  /** Between two writes at least. @default 5000 */
  intervalMs?: number;
  /** The same when only counts changed: every Service that comes or goes changes those, on every node. @default 60000 */
  countsIntervalMs?: number;
  /** How often it looks whether what it told still stands, a quarter more or less. @default 60000 */
  lookMs?: number;
}

const FIELD_MANAGER = { fieldManager: 'fairlead-agent' };

type Told = ReturnType<typeof buildStatus>;

/**
 * Writes the NodeForwarder of this node: when something changed, and not often. A failed write is tried again. Now and then
 * it looks, since somebody may have deleted it, or the operator may have taken this agent for dead.
 */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  #conditions: Condition[] = [];
  #written = '';
  #told: Told | undefined;
  #writtenHead = '';
  #exists = false;
  #timer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #lastWrite = Number.NEGATIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
  }

  /** Something may have changed. Returns at once. */
  touch(): void {
    const { settleMs = 500, intervalMs = 5_000, countsIntervalMs = 60_000 } = this.#options;
    if (this.#stopped) return;
    const isHeadSame = this.#headOf(this.#build()) === this.#writtenHead;
    const now = performance.now();
    const dueAt = Math.max(now + settleMs, this.#lastWrite + (isHeadSame ? countsIntervalMs : intervalMs));
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.#writing = this.#writing.then(() => this.#write());
    }, dueAt - now);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lookTimer);
    await this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#stopped) return;
    this.#lastWrite = performance.now();
    try {
      await this.#writeChanged();
      this.#scheduleLook();
    } catch (error) {
      this.#exists = false;
      this.#writtenHead = '';
      this.#options.log.warn('StatusWriteFailed', { error });
      this.touch();
    }
  }

  async #writeChanged(): Promise<void> {
    const { client, nodeName } = this.#options;
    if (!this.#exists) {
      const created = await applyObject(client, NODE_FORWARDERS, this.#object(), FIELD_MANAGER);
      this.#conditions = created.status?.conditions ?? this.#conditions;
      this.#written = '';
      this.#exists = true;
    }
    const status = this.#build();
    const text = JSON.stringify(status);
    if (text === this.#written) return;
    await applyStatus(client, NODE_FORWARDERS, { metadata: { name: nodeName }, status }, FIELD_MANAGER);
    this.#written = text;
    this.#told = status;
    this.#writtenHead = this.#headOf(status);
    this.#conditions = status.conditions;
  }

  #scheduleLook(): void {
    if (this.#stopped || this.#lookTimer !== undefined) return;
    const { lookMs = 60_000 } = this.#options;
    this.#lookTimer = setTimeout(
      () => {
        this.#lookTimer = undefined;
        this.#writing = this.#writing.then(() => this.#look());
      },
      lookMs * (0.75 + Math.random() / 2),
    );
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    try {
      if (!(await this.#stands())) {
        this.#exists = false;
        await this.#write();
      }
    } catch (error) {
      this.#options.log.debug('StatusNotRead', { error });
    }
    this.#scheduleLook();
  }

  /** Whether the NodeForwarder is there, of this Node, and says what was written last. */
  async #stands(): Promise<boolean> {
    const { client, node, nodeName } = this.#options;
    let found: NodeForwarder;
    try {
      found = await client.get(NODE_FORWARDERS, undefined, nodeName);
    } catch (error) {
      if (isClass(error, 'NotFound')) return false;
      throw error;
    }
    const uid = node()?.metadata.uid;
    const isOfNode = found.metadata.ownerReferences?.some((each) => each.uid === uid) ?? false;
    return (uid === undefined || isOfNode) && this.#told !== undefined && says(found.status, this.#told);
  }

  #build() {
    return buildStatus(this.#options.facts(), this.#conditions, new Date().toISOString());
  }

  /** Everything but what changes all the time. */
  #headOf({ conditions, announced }: ReturnType<typeof buildStatus>): string {
    return JSON.stringify([
      announced,
      conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    ]);
  }

  #object() {
    const { nodeName, node } = this.#options;
    const uid = node()?.metadata.uid;
    const ownerReferences =
      uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }] };
    return { metadata: { name: nodeName, ...ownerReferences }, spec: { nodeName } };
  }
}

/** Others may have conditions of their own. */
function says(status: NodeForwarder['status'], { conditions, ...told }: Told): boolean {
  const { conditions: found, ...rest } = status ?? {};
  return (
    isDeepStrictEqual(rest, told) &&
    conditions.every((each) => isDeepStrictEqual(findCondition(found, each.type), each))
  );
}
