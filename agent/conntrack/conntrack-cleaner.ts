import type { Logger } from '../../kube/log.ts';
import type { Protocol } from '../../kube/objects.ts';
import { inSlices } from '../../kube/slice-work.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { NodeContext } from '../node-context.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import { StagedChanges } from '../staged-changes.ts';
import { collectFrontends } from './collect-frontends.ts';
import { deleteStaleFlows } from './delete-stale-flows.ts';
import { ConntrackError, type FlowTable } from './flow-table.ts';
import { FrontendIndex } from './frontend-index.ts';
import type { Flow } from './parse-flow.ts';
import { WaitingConnections } from './waiting-connections.ts';

/** One look at the entries of a family. */
export interface CleanUp {
  family: Family;
  tookMs: number;
  deleted: number;
}

export interface ConntrackCleanerOptions {
  table: FlowTable;
  /** What Services are compiled for. */
  context: () => NodeContext;
  /** Where node ports answer, as `canonicalAddress` writes them. */
  nodePortAddresses: () => readonly string[];
  log: Logger;
  onCleanUp?: (cleanUp: CleanUp) => void;
  /** `problem` changed. */
  onChange?: () => void;
  /** Between two clean-ups at least. @default 500 */
  gapMs?: number;
  /** Without any change, so often all the same. @default 300000 */
  reconcileMs?: number;
  /** After one that failed, so long. @default 10000 */
  retryMs?: number;
}

const GAP_MS = 500;
const RECONCILE_MS = 300_000;
const RETRY_MS = 10_000;
/** After so many failures in a row what was to be looked for is forgotten: it would only grow. */
const MOST_RETRIES = 5;
const FAMILIES: readonly Family[] = ['ip', 'ip6'];
/** A clean-up of a long table is followed by a rest of so many times its own duration, up to a limit. */
const REST = 5;
const LONGEST_REST_MS = 10_000;

/**
 * Deletes entries of connection tracking that would hold a client to what is no more. UDP has no end of a connection: a
 * client that goes on from the same port stays with an endpoint that went, or with nobody, for as long as it sends. Of TCP
 * only those are deleted that wait for their first answer, from an endpoint that went or from an address that was not
 * translated when they began.
 *
 * Beside the path of changes: these are in the kernel before, and never wait for this.
 */
export class ConntrackCleaner implements ServiceObserver {
  readonly #options: ConntrackCleanerOptions;
  readonly #udp = new FrontendIndex();
  readonly #tcp = new WaitingConnections();
  readonly #changes = new StagedChanges<ServedInputs | undefined>();
  /** What is in the kernel, and wasn't looked at since. */
  readonly #applied = new Map<string, ServedInputs | undefined>();
  /** Something happened since the last look at entries of UDP; also, nobody has looked yet. */
  #udpDue = true;
  #problem: string | null = null;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #notBefore = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ConntrackCleanerOptions) {
    this.#options = options;
  }

  /** Why stale entries stay; null: they don't. */
  get problem(): string | null {
    return this.#problem;
  }

  compiled(key: string, inputs: ServedInputs | undefined): void {
    this.#changes.set(key, inputs);
  }

  taken(): void {
    this.#changes.take();
  }

  takenApplied(): void {
    const changes = this.#changes.handOut();
    for (const [key, inputs] of changes) {
      this.#passOver(key, this.#applied.get(key));
      this.#applied.set(key, inputs);
    }
    if (changes.length > 0) this.#schedule(0);
  }

  /** Never waited for: while changes come all the time it isn't called. */
  applied(): void {}

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(delayMs: number): void {
    const dueAt = Math.max(performance.now() + delayMs, this.#notBefore);
    if (this.#stopped || this.#running !== undefined || dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#dueAt = Number.POSITIVE_INFINITY;
        this.#running = this.#run().finally(() => {
          this.#running = undefined;
          this.#schedule(this.#applied.size > 0 ? 0 : this.#restMs());
        });
      },
      Math.max(dueAt - performance.now(), 0),
    );
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    const isReconcile = this.#applied.size === 0;
    try {
      await this.#takeIn();
      const udp = this.#udpDue || isReconcile;
      this.#udpDue = false;
      for (const family of FAMILIES) await this.#cleanUp(family, udp);
      this.#endLook();
      this.#failures = 0;
      this.#setProblem(null);
    } catch (error) {
      this.#udpDue = true;
      this.#failures++;
      if (isMissing(error) || this.#failures > MOST_RETRIES) this.#endLook();
      this.#setProblem(describe(error));
    }
    const tookMs = performance.now() - startedAt;
    this.#notBefore =
      performance.now() + Math.max(this.#options.gapMs ?? GAP_MS, Math.min(tookMs * REST, LONGEST_REST_MS));
  }

  /** Until the next look, when nothing changes. */
  #restMs(): number {
    const { reconcileMs = RECONCILE_MS, retryMs = RETRY_MS } = this.#options;
    return this.#failures > 0 && this.#failures <= MOST_RETRIES
      ? Math.min(retryMs, reconcileMs)
      : reconcileMs;
  }

  /** What there is to look for, by what changed. */
  async #takeIn(): Promise<void> {
    const context = this.#options.context();
    // A copy of the keys: what is applied meanwhile is for the next time.
    await inSlices([...this.#applied.keys()], (key) => {
      const inputs = this.#applied.get(key);
      this.#applied.delete(key);
      const collect = (protocol: Protocol) =>
        inputs === undefined ? [] : collectFrontends(inputs, protocol, context);
      if (this.#udp.put(key, collect('UDP'))) this.#udpDue = true;
      this.#tcp.put(key, collect('TCP'));
    });
    this.#udp.beginLook();
    this.#tcp.beginLook();
  }

  /** What lasted a moment only may have flows all the same. */
  #passOver(key: string, inputs: ServedInputs | undefined): void {
    if (inputs === undefined) return;
    const context = this.#options.context();
    if (this.#udp.passOver(collectFrontends(inputs, 'UDP', context))) this.#udpDue = true;
    this.#tcp.put(key, collectFrontends(inputs, 'TCP', context));
  }

  async #cleanUp(family: Family, isUdpDue: boolean): Promise<void> {
    const udp = isUdpDue && this.#udp.isWorthALook ? this.#udp : null;
    const tcp = this.#tcp.isWorthALook ? this.#tcp : null;
    if (udp === null && tcp === null) return;
    const { table, nodePortAddresses, log, onCleanUp } = this.#options;
    const startedAt = performance.now();
    const nodeAddresses = new Set(nodePortAddresses());
    const recheck = (flows: Flow[]) => this.#withoutComing(family, flows, nodeAddresses);
    const deleted = await deleteStaleFlows(table, { family, udp, tcp, nodeAddresses, recheck });
    const tookMs = performance.now() - startedAt;
    if (deleted > 0) log.info('StaleFlowsDeleted', { family, deleted, tookMs });
    onCleanUp?.({ family, tookMs, deleted });
  }

  /** The kernel may be ahead: flows with endpoints that came since this look began are right, or for the next look. */
  async #withoutComing(family: Family, flows: Flow[], nodeAddresses: ReadonlySet<string>): Promise<Flow[]> {
    const coming = new FrontendIndex();
    const context = this.#options.context();
    const protocol = flows[0]?.protocol === 'tcp' ? 'TCP' : 'UDP';
    await inSlices([...this.#changes.values(), ...this.#applied.values()].entries(), ([index, inputs]) => {
      if (inputs !== undefined) coming.put(`${index}`, collectFrontends(inputs, protocol, context));
    });
    const stale = flows.filter((flow) => !coming.serves(family, flow, nodeAddresses));
    if (stale.length < flows.length && protocol === 'UDP') this.#udpDue = true;
    return stale;
  }

  #endLook(): void {
    this.#udp.endLook();
    this.#tcp.endLook();
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== null) this.#options.log.warn('StaleFlowsStay', { problem });
    this.#options.onChange?.();
  }
}

function isMissing(error: unknown): error is ConntrackError {
  return error instanceof ConntrackError && error.failure === 'Missing';
}

function describe(error: unknown): string {
  if (isMissing(error)) {
    return `flows can't be looked at, UDP clients may stay with endpoints that went: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
