import { isDeepStrictEqual } from 'node:util';
import type { AddressPool } from '../../crds/address-pool.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { PortPool } from '../../crds/port-pool.ts';
import { ADDRESS_POOLS, LOAD_BALANCER_PROVIDERS, PORT_POOLS } from '../../crds/resources.ts';
import { applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/log.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ResourceType } from '../../kube/resources.ts';
import { type ReconcileResult, WorkQueue } from '../../kube/workqueue.ts';
import { FIELD_MANAGER } from '../plan/names.ts';
import type { ReconcileContext } from './context.ts';
import { buildAddressPoolStatus, buildPortPoolStatus } from './pools.ts';
import { buildProviderStatus } from './providers.ts';
import type { QuietTime } from './quiet-time.ts';

/** Changes are gathered for so long: a thousand Services are one write to their pool, not a thousand. */
const GATHER_MS = 500;
const DONE: ReconcileResult = { kind: 'done' };

interface Counted extends KubeObject {
  status?: object;
}

type Writer = (name: string) => Promise<void>;

/** Writes the statuses of pools and providers: counts and conditions, gathered, and only what differs. */
export class CountStatusQueue {
  readonly #queue: WorkQueue;
  readonly #context: ReconcileContext;

  constructor(context: ReconcileContext, options: { quiet: QuietTime; log: Logger }) {
    this.#context = context;
    const { caches, client, now } = context;
    const writers: Readonly<Record<string, Writer>> = {
      addresspool: writerFor<AddressPool>(client, ADDRESS_POOLS, caches.addressPools, (pool) =>
        buildAddressPoolStatus(context, pool, now()),
      ),
      portpool: writerFor<PortPool>(client, PORT_POOLS, caches.portPools, (pool) =>
        buildPortPoolStatus(context, pool, now()),
      ),
      provider: writerFor<LoadBalancerProvider>(
        client,
        LOAD_BALANCER_PROVIDERS,
        caches.providers,
        (provider) => buildProviderStatus(context, provider, now()),
      ),
    };
    this.#queue = new WorkQueue({
      name: 'counts',
      concurrency: 1,
      log: options.log,
      baseDelayMs: 200,
      process: async (key) => {
        await options.quiet.wait();
        const slash = key.indexOf('/');
        try {
          await writers[key.slice(0, slash)]?.(key.slice(slash + 1));
          return DONE;
        } catch (error) {
          if (isClass(error, 'NotFound')) return DONE;
          return { kind: 'failed', error, terminal: isClass(error, 'Rejected') };
        }
      },
    });
    caches.addressPools.store.onChange(({ object }) => this.#add('addresspool', object.metadata.name));
    caches.portPools.store.onChange(({ object }) => this.#add('portpool', object.metadata.name));
    caches.providers.store.onChange(({ object }) => this.#add('provider', object.metadata.name));
    caches.loadBalancers.store.onChange(({ object, previous }) => {
      for (const each of previous === undefined ? [object] : [object, previous]) {
        this.#add('provider', each.spec.provider.name);
        for (const { pool } of each.spec.addresses ?? []) this.#add('addresspool', pool);
        for (const { portPool } of each.spec.frontends ?? []) {
          if (portPool !== undefined) this.#add('portpool', portPool);
        }
      }
    });
  }

  /** All of them: something changed that any of them may tell of. */
  addAll(): void {
    const { addressPools, portPools, providers } = this.#context.caches;
    for (const { metadata } of addressPools.store.list()) this.#add('addresspool', metadata.name);
    for (const { metadata } of portPools.store.list()) this.#add('portpool', metadata.name);
    for (const { metadata } of providers.store.list()) this.#add('provider', metadata.name);
  }

  addProvider(name: string): void {
    this.#add('provider', name);
  }

  start(): void {
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #add(kind: string, name: string): void {
    this.#queue.addAfter(`${kind}/${name}`, GATHER_MS);
  }
}

function writerFor<T extends Counted>(
  client: KubeClient,
  type: ResourceType<T>,
  informer: Informer<T>,
  build: (object: T) => object,
): Writer {
  /** By uid, the last status that was written: the watch may lag behind it. */
  const written = new Map<string, unknown>();
  return async (name) => {
    const object = informer.store.get(name);
    if (object === undefined) return;
    const uid = object.metadata.uid ?? '';
    const status = build(object);
    if (isDeepStrictEqual(status, object.status)) {
      written.delete(uid);
      return;
    }
    if (isDeepStrictEqual(status, written.get(uid))) return;
    await applyStatus(client, type, { metadata: { name, uid }, status }, { fieldManager: FIELD_MANAGER });
    written.set(uid, status);
  };
}
