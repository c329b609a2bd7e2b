import baseModule, {
  type OperatorLogger,
  type ResourceEvent,
  ResourceEventType,
  type ResourceMeta,
  ResourceMetaImpl,
} from '@dot-i/k8s-operator';
import { CoreV1Api, KubeConfig, type V1CustomResourceDefinitionVersion } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/log.ts';
import type { KubeObject } from '../kube/objects.ts';
import { pathOf, resource } from '../kube/resources.ts';
import type { ReconcileResult } from '../kube/workqueue.ts';
import { adaptLogger } from './base/adapt-logger.ts';
import { narrowKubeconfig } from './base/narrow-kubeconfig.ts';
import { OperatorRun } from './base/operator-run.ts';
import { type PendingEvent, PendingEvents } from './base/pending-events.ts';
import { PooledKubeConfig } from './base/pooled-kube-config.ts';
import { registerCrd } from './base/register-crd.ts';
import type { ResourceWatch } from './base/resource-watch.ts';
import { changeFinalizers, mergeStatus, replaceStatus, setFinalizers } from './base/write-resource.ts';

export type { OperatorLogger, ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';
export { ResourceEventType, ResourceMetaImpl } from '@dot-i/k8s-operator';

export interface OperatorOptions {
  /** In the place of a client of its own; stays open when the operator stops. */
  client?: KubeClient | undefined;
  /** Path of a kubeconfig; without it, what loadConnectionConfig finds. */
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** Objects handled at once; the events of one object always come one after the other. @default 8 */
  concurrency?: number | undefined;
}

export interface WatchOptions {
  /** As kubectl's: `app=web,tier!=db`. */
  labelSelector?: string | undefined;
  /** `metadata.name=x`. */
  fieldSelector?: string | undefined;
}

type Handler = (event: ResourceEvent) => Promise<void>;

const EVENT_TYPES = {
  Added: ResourceEventType.Added,
  Modified: ResourceEventType.Modified,
  Deleted: ResourceEventType.Deleted,
} as const;

/**
 * The base class of `@dot-i/k8s-operator` with its contract kept: code written for it runs on this. Different from
 * version 1.3.9 there:
 * - Watches go on: reconnects, lost connections, 410 and quiet kinds end neither the watch nor the process, and tell
 *   nothing that was told before. Label and field selectors narrow them.
 * - Events of one object come in order, different objects are handled side by side. A handler that throws is logged and
 *   called again, with growing delays, with the latest state of the object.
 * - Events are copies: a handler may change its own.
 * - Status and finalizers are written by our own client; writes of finalizers keep those of others, and failures throw.
 * - `stop()` never ends the process, and resolves when the handlers that run have finished.
 */
export default abstract class Operator extends baseModule.default {
  readonly #options: OperatorOptions;
  readonly #sources = new WeakMap<ResourceMeta, { uid: string | undefined; finalizers: string[] }>();
  /** Finalizers that were taken away, by uid: an event from before that must not run the deletion again. */
  readonly #finalized = new Map<string, Set<string>>();
  #run: OperatorRun | undefined;
  #connecting: Promise<OperatorRun> | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(logger?: OperatorLogger, options: OperatorOptions = {}) {
    // The base reads $KUBECONFIG, whatever is given here, and throws when a file of it is missing.
    const putBack = narrowKubeconfig(options.kubeconfig);
    super(logger);
    putBack();
    this.#options = options;
    if (options.kubeconfig !== undefined) {
      this.kubeConfig = new KubeConfig();
      this.kubeConfig.loadFromFile(options.kubeconfig);
    }
    if (options.context !== undefined) this.kubeConfig.setCurrentContext(options.context);
    this.kubeConfig = PooledKubeConfig.of(this.kubeConfig);
    this.k8sApi = this.kubeConfig.makeApiClient(CoreV1Api);
  }

  /** Connects and calls `init()`; stops when that fails. Started already, it does nothing; stopped, it starts anew. */
  override start(): Promise<void> {
    this.#starting ??= this.#start().catch(async (error: unknown) => {
      await this.stop();
      throw error;
    });
    return this.#starting;
  }

  /** Ends every watch, waits for the handlers that run, and closes the connections. Harmless at any time. */
  override stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  /** Talks to the API server as raw JSON; there from `init()` to `stop()`. */
  protected get client(): KubeClient {
    return this.#running().client;
  }

  /** The operator's log, with fields. */
  protected get log(): Logger {
    return adaptLogger(this.logger);
  }

  /** What the watches see, in the order of their `watchResource`. Objects in it are shared: never change one. */
  protected get stores(): readonly ResourceWatch['store'][] {
    return this.#running().stores;
  }

  protected override async registerCustomResourceDefinition(
    crdFile: string,
  ): Promise<{ group: string; versions: V1CustomResourceDefinitionVersion[]; plural: string }> {
    const { crd, created } = await registerCrd(this.client, crdFile);
    if (created) this.logger.info(`registered custom resource definition '${crd.metadata.name}'`);
    const { group, versions, names } = crd.spec;
    return { group, versions, plural: names.plural };
  }

  protected override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    const server = this.kubeConfig.getCurrentCluster()?.server ?? '';
    return server.replace(/\/+$/, '') + pathOf(resource(group, version, plural, '', true), namespace);
  }

  /**
   * Watches a kind: `onEvent` hears of each object that is there, and of each change from then on. Resolves when the watch
   * has begun; a kind that isn't served yet is waited for meanwhile.
   */
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: Handler,
    namespace?: string,
    options: WatchOptions = {},
  ): Promise<void> {
    const run = this.#running();
    const id = `${plural}.${group === '' ? version : `${group}/${version}`}`;
    const pending = new PendingEvents();
    const add = run.handle((key) => this.#handle(() => add(key), key, plural, pending, onEvent));
    await run.watch({
      group,
      version,
      plural,
      namespace,
      ...options,
      log: this.log.child({ watch: id }),
      onChange: ({ key, type, object }) => {
        pending.push(key, { type, object });
        add(key);
      },
    });
    this.logger.info(`watching resource ${id}`);
  }

  /** Sets the whole status. null, and a line in the log, when that can't be done, as when the object has changed since. */
  protected override setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    return this.#writeStatus(meta, () => replaceStatus(this.client, meta, status));
  }

  /** Merges into the status (RFC 7386). null as above. */
  protected override patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    return this.#writeStatus(meta, () => mergeStatus(this.client, meta, status));
  }

  /** As the base's; the event isn't changed, and a deletion that was carried out isn't again for an event from before. */
  protected override async handleResourceFinalizer(
    event: ResourceEvent,
    finalizer: string,
    deleteAction: (event: ResourceEvent) => Promise<void>,
  ): Promise<boolean> {
    const uid = event.object.metadata?.uid ?? '';
    const isDeletion = event.object.metadata?.deletionTimestamp !== undefined;
    if (isDeletion && this.#finalized.get(uid)?.has(finalizer)) return true;
    const copy = { ...event, object: structuredClone(event.object) };
    let acted = false;
    const handled = await super.handleResourceFinalizer(copy, finalizer, async (deleted) => {
      await deleteAction(deleted);
      acted = true;
    });
    if (acted) this.#finalized.set(uid, (this.#finalized.get(uid) ?? new Set()).add(finalizer));
    return handled;
  }

  /** Sets (or clears) the finalizers of an object. Throws what the API server says, so that the handler is tried again. */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const before = this.#sources.get(meta);
    if (before === undefined) await setFinalizers(this.client, meta, finalizers);
    else await changeFinalizers(this.client, meta, before, finalizers);
  }

  #running(): OperatorRun {
    if (this.#run === undefined) throw new Error('the operator is not started: call this from init() on');
    return this.#run;
  }

  async #start(): Promise<void> {
    await this.#stopping;
    const { concurrency = 8 } = this.#options;
    this.#connecting ??= OperatorRun.connect({ ...this.#options, concurrency }, this.log);
    const run = await this.#connecting;
    this.#run = run;
    run.start();
    await this.init();
  }

  async #stop(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    this.#starting = undefined;
    const run = await connecting?.catch(() => undefined);
    this.#run = undefined;
    if (run === undefined) return;
    await run.stop();
    this.#finalized.clear();
    await run.close();
  }

  async #handle(
    again: () => void,
    key: string,
    plural: string,
    pending: PendingEvents,
    onEvent: Handler,
  ): Promise<ReconcileResult> {
    const next = pending.take(key);
    if (next === undefined) return { kind: 'done' };
    try {
      await onEvent(this.#eventOf(plural, next));
    } catch (error) {
      pending.putBack(key, next);
      return { kind: 'failed', error, terminal: false };
    }
    if (next.type === 'Deleted') this.#finalized.delete(next.object.metadata.uid ?? '');
    if (pending.has(key)) again();
    return { kind: 'done' };
  }

  #eventOf(plural: string, { type, object }: PendingEvent): ResourceEvent {
    const copy = asBaseObject(structuredClone(object));
    const meta = ResourceMetaImpl.createWithPlural(plural, copy);
    const { uid, finalizers = [] } = object.metadata;
    this.#sources.set(meta, { uid, finalizers: [...finalizers] });
    return { meta, type: EVENT_TYPES[type], object: copy };
  }

  async #writeStatus(meta: ResourceMeta, write: () => Promise<KubeObject>): Promise<ResourceMeta | null> {
    try {
      return ResourceMetaImpl.createWithId(meta.id, asBaseObject(await write()));
    } catch (error) {
      this.log.error('StatusNotWritten', {
        id: meta.id,
        namespace: meta.namespace,
        name: meta.name,
        error,
      });
      return null;
    }
  }
}

/** The base's type says that timestamps are Dates; what it gives its handlers is raw JSON, as this is. */
function asBaseObject(object: KubeObject): ResourceEvent['object'] {
  return object as unknown as ResourceEvent['object'];
}
