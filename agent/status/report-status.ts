import { NODE_FORWARDERS } from '../../crds/resources.ts';
import { applyObject, applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
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
}

const FIELD_MANAGER = { fieldManager: 'fairlead-agent' };

/** Writes the NodeForwarder of this node: when something changed, and not often. A failed write is tried again. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  #conditions: Condition[] = [];
  #written = '';
  #writtenHead = '';
  #exists = false;
  #timer: NodeJS.Timeout | undefined;
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
    await this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#stopped) return;
    this.#lastWrite = performance.now();
    try {
      await this.#writeChanged();
    } catch (error) {
      if (isClass(error, 'NotFound')) this.#exists = false;
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
    this.#writtenHead = this.#headOf(status);
    this.#conditions = status.conditions;
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
