import type { Service } from '../kube/objects.ts';
import { OWN_PROXY_NAME, PROXY_NAME_LABEL } from './endpoints/decide-served.ts';
import type { ServeMode } from './node-context.ts';

/**
 * kube-proxy syncs a second after a change, and later where it has much to write. A connection begun while nobody serves its
 * address is lost for good where the packet gets through untranslated: conntrack then holds it to that.
 */
const HAND_OVER_MS = 5_000;

interface Labelled {
  uid: string | undefined;
  /** Set once the label is gone. */
  timer?: NodeJS.Timeout;
}

/**
 * Beside another proxy, a Service whose label with our name was taken away is served for a moment longer, while the other
 * one begins to. Nothing is kept for one that was deleted, or has the name of a third proxy on it now.
 */
export class HandOver {
  readonly #labelled = new Map<string, Labelled>();
  readonly #again: (key: string) => void;
  readonly #holdMs: number;

  /** `again` is called with the key of a Service that is to be compiled as it is now. */
  constructor(again: (key: string) => void, holdMs: number = HAND_OVER_MS) {
    this.#again = again;
    this.#holdMs = holdMs;
  }

  /** The Service as its rules are to be compiled. */
  asServed(key: string, service: Service, serve: ServeMode): Service {
    const proxy = service.metadata.labels?.[PROXY_NAME_LABEL];
    const known = this.#labelled.get(key);
    if (proxy === OWN_PROXY_NAME && serve === 'Own') {
      clearTimeout(known?.timer);
      this.#labelled.set(key, { uid: service.metadata.uid });
      return service;
    }
    if (known === undefined) return service;
    if (proxy !== undefined || known.uid !== service.metadata.uid) {
      this.forget(key);
      return service;
    }
    known.timer ??= setTimeout(() => {
      this.#labelled.delete(key);
      this.#again(key);
    }, this.#holdMs);
    const { metadata } = service;
    return {
      ...service,
      metadata: { ...metadata, labels: { ...metadata.labels, [PROXY_NAME_LABEL]: OWN_PROXY_NAME } },
    };
  }

  /** The Service is gone. */
  forget(key: string): void {
    clearTimeout(this.#labelled.get(key)?.timer);
    this.#labelled.delete(key);
  }

  stop(): void {
    for (const key of [...this.#labelled.keys()]) this.forget(key);
  }
}
