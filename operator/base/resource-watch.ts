import { Backoff, sleep } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { Store, type StoreChange } from '../../kube/store.ts';
import { discoverKind } from './discover-kind.ts';

export interface ResourceWatchOptions {
  client: KubeClient;
  group: string;
  version: string;
  plural: string;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  log: Logger;
  onChange: (change: StoreChange<KubeObject>) => void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/**
 * Watches one kind for as long as it isn't stopped, and tells each change of an object once: what is still the same after
 * a reconnect isn't told again. A kind that the API server doesn't serve yet is waited for.
 */
export class ResourceWatch {
  readonly store: Store<KubeObject>;
  readonly #options: ResourceWatchOptions;
  readonly #stopping = new AbortController();
  #reflector: Reflector<KubeObject> | undefined;
  #waiting: Promise<void> | undefined;

  constructor(options: ResourceWatchOptions) {
    this.#options = options;
    this.store = new Store({ log: options.log });
    this.store.onChange(options.onChange);
  }

  /** Resolves when the watch has begun, or when its kind isn't served yet and is being waited for. */
  async start(): Promise<void> {
    if (await this.#tryToBegin()) return;
    this.#waiting = this.#keepTrying();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#waiting;
    await this.#reflector?.stop();
  }

  async #keepTrying(): Promise<void> {
    const backoff = new Backoff({ initialMs: FIRST_DELAY_MS, maxMs: LONGEST_DELAY_MS });
    do await sleep(backoff.next(), this.#stopping.signal);
    while (!this.#stopping.signal.aborted && !(await this.#tryToBegin()));
  }

  async #tryToBegin(): Promise<boolean> {
    const { client, log } = this.#options;
    try {
      const type = await discoverKind(client, this.#options, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return true;
      const { namespace, labelSelector, fieldSelector } = this.#options;
      this.#reflector = new Reflector(
        { client, type, namespace, labelSelector, fieldSelector, log },
        this.store,
      );
      this.#reflector.start();
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return true;
      log.warn(isClass(error, 'NotFound') ? 'ResourceNotServedYet' : 'DiscoveryFailed', { error });
      return false;
    }
  }
}
