import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { NodeContext } from '../node-context.ts';
import type { ServedInputs, ServiceObserver } from '../service-observer.ts';
import { inSlices } from '../slice-work.ts';
import { collectFrontends } from './collect-frontends.ts';
import { deleteStaleFlows } from './delete-stale-flows.ts';
import { ConntrackError, type FlowTable } from './flow-table.ts';
import { FrontendIndex } from './frontend-index.ts';
import { NewlyServed } from './newly-served.ts';

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
}

const GAP_MS = 500;
const RECONCILE_MS = 300_000;
const FAMILIES: readonly Family[] = ['ip', 'ip6'];
/** A clean-up of a long table is followed by a rest of so many times its own duration, up to a limit. */
const REST = 5;
const LONGEST_REST_MS = 10_000;

/**
 * Deletes entries of connection tracking that would hold a client to what is no more. UDP has no end of a connection: a
 * client that goes on from the same port stays with an endpoint that went, or with nobody, for as long as it sends. Of TCP
 * only those are deleted that wait for an answer from an address that was not translated when they began.
 *
 * Beside the path of changes: these are in the kernel before, and never wait for this.
 */
export class ConntrackCleaner implements ServiceObserver {
  readonly #options: ConntrackCleanerOptions;
  readonly #udp = new FrontendIndex();
  readonly #newTcp = new NewlyServed();
  /** What changed and isn't in the kernel yet. */
  #compiled = new Map<string, ServedInputs | undefined>();
  /** Of that, what is being written. */
  #taken = new Map<string, ServedInputs | undefined>();
  /** What is in the kernel, and wasn't looked at since. */
  readonly #applied = new Map<string, ServedInputs | undefined>();
  /** Something happened since the last look at entries of UDP; also, nobody has looked yet. */
  #udpDue = true;
  #problem: string | null = null;
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
    this.#passOver(key, this.#compiled);
    this.#compiled.set(key, inputs);
  }

  taken(): void {
    for (const [key, inputs] of this.#compiled) {
      this.#passOver(key, this.#taken);
      this.#taken.set(key, inputs);
    }
    this.#compiled = new Map();
  }

  takenApplied(): void {
    if (this.#taken.size === 0) return;
    for (const [key, inputs] of this.#taken) {
      this.#passOver(key, this.#applied);
      this.#applied.set(key, inputs);
    }
    this.#taken = new Map();
    this.#schedule(0);
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
          this.#schedule(this.#applied.size > 0 ? 0 : (this.#options.reconcileMs ?? RECONCILE_MS));
        });
      },
      Math.max(dueAt - performance.now(), 0),
    );
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    const { udp, tcp } = await this.#takeIn();
    try {
      for (const family of FAMILIES) await this.#cleanUp(family, udp, tcp);
      if (udp) this.#udp.endLook();
      this.#setProblem(null);
    } catch (error) {
      this.#udpDue ||= udp;
      this.#setProblem(describe(error));
    }
    const tookMs = performance.now() - startedAt;
    this.#notBefore =
      performance.now() + Math.max(this.#options.gapMs ?? GAP_MS, Math.min(tookMs * REST, LONGEST_REST_MS));
  }

  /** What there is to look for, by what changed. */
  async #takeIn(): Promise<{ udp: boolean; tcp: FrontendIndex }> {
    const context = this.#options.context();
    const tcp = new FrontendIndex();
    const isReconcile = this.#applied.size === 0;
    // A copy of the keys: what is applied meanwhile is for the next time.
    await inSlices([...this.#applied.keys()], (key) => {
      const inputs = this.#applied.get(key);
      this.#applied.delete(key);
      this.#putUdp(key, inputs);
      const frontends = inputs === undefined ? [] : collectFrontends(inputs, 'TCP', context);
      const news = this.#newTcp.put(key, frontends);
      if (news.length > 0) tcp.put(key, news);
    });
    const udp = (this.#udpDue || isReconcile) && this.#udp.isWorthALook;
    if (udp) this.#udp.beginLook();
    this.#udpDue = false;
    return { udp, tcp };
  }

  /** What lasted a moment only may have flows all the same. */
  #passOver(key: string, waiting: ReadonlyMap<string, ServedInputs | undefined>): void {
    if (waiting.has(key)) this.#putUdp(key, waiting.get(key));
  }

  #putUdp(key: string, inputs: ServedInputs | undefined): void {
    const frontends = inputs === undefined ? [] : collectFrontends(inputs, 'UDP', this.#options.context());
    if (this.#udp.put(key, frontends)) this.#udpDue = true;
  }

  async #cleanUp(family: Family, udp: boolean, tcp: FrontendIndex): Promise<void> {
    if (!udp && tcp.size === 0) return;
    const { table, nodePortAddresses, log, onCleanUp } = this.#options;
    const startedAt = performance.now();
    const nodeAddresses = new Set(nodePortAddresses());
    const look = { family, udp: udp ? this.#udp : null, tcp, nodeAddresses };
    const deleted = await deleteStaleFlows(table, look);
    const tookMs = performance.now() - startedAt;
    if (deleted > 0) log.info('StaleFlowsDeleted', { family, deleted, tookMs });
    onCleanUp?.({ family, tookMs, deleted });
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== null) this.#options.log.warn('StaleFlowsStay', { problem });
    this.#options.onChange?.();
  }
}

function describe(error: unknown): string {
  if (error instanceof ConntrackError && error.failure === 'Missing') {
    return "the program conntrack isn't installed: UDP clients may stay with endpoints that went";
  }
  return error instanceof Error ? error.message : String(error);
}
