import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import { Reflector, type ReflectorOptions, type ReflectorSink } from './reflector.ts';
import type { ResourceType } from './resources.ts';
import { Store } from './store.ts';

/** A store that a reflector keeps up to date. */
export interface Informer<T extends KubeObject> {
  readonly store: Store<T>;
  /** Resolves once the store holds a whole listing; stays pending when stopped before. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** `performance.now()` when the server last said something; 0 before. */
  readonly lastContact: number;
  start(): void;
  stop(): Promise<void>;
}

export interface InformerOptions<T extends KubeObject> extends Omit<ReflectorOptions<T>, 'client' | 'type'> {
  /** Listings are taken in a slice at a time, for kinds with tens of thousands of objects. @default false */
  inSlices?: boolean | undefined;
}

/** Add indexes and handlers to the store first, then `start()`. */
export function createInformer<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: InformerOptions<T>,
): Informer<T> {
  const store = new Store<T>({ log: options.log.child({ resource: type.plural }) });
  const sink: ReflectorSink<T> = options.inSlices === true ? takingSlices(store) : store;
  const reflector = new Reflector<T>({ ...options, client, type }, sink);
  return {
    store,
    get synced() {
      return reflector.synced;
    },
    get hasSynced() {
      return reflector.hasSynced;
    },
    get lastContact() {
      return reflector.lastContact;
    },
    start: () => reflector.start(),
    stop: () => reflector.stop(),
  };
}

function takingSlices<T extends KubeObject>(store: Store<T>): ReflectorSink<T> {
  return {
    replace: (items, resourceVersion) => store.replaceInSlices(items, resourceVersion),
    upsert: (item) => store.upsert(item),
    remove: (item) => store.remove(item),
  };
}
