import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { pathOf, type ResourceType } from '../../../kube/resources.ts';
import { LineSplitter } from '../../../kube/split-lines.ts';

/** One thing that happened in the API server. */
export interface OrderedEvent {
  /** etcd's revision: one order over all kinds. */
  revision: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  kind: string;
  object: KubeObject;
}

/**
 * Watches several kinds from one revision on and gives back what happened in the order in which it happened, whichever
 * watch was faster. Not a reflector: nothing may be missed or summed up, so a watch that breaks is an error.
 */
export class OrderedEvents {
  readonly #client: KubeClient;
  readonly #types: readonly ResourceType[];
  readonly #stopping = new AbortController();
  readonly #seen = new Map<string, number>();
  #waiting: OrderedEvent[] = [];
  #broken: unknown;

  constructor(client: KubeClient, types: readonly ResourceType[]) {
    this.#client = client;
    this.#types = types;
  }

  async start(): Promise<void> {
    await Promise.all(
      this.#types.map(async (type) => {
        const { resourceVersion } = await this.#client.list(type, { limit: 1 });
        this.#seen.set(type.kind, Number(resourceVersion));
        const stream = await this.#client.stream(pathOf(type), {
          query: { watch: true, resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 3600 },
          signal: this.#stopping.signal,
        });
        void this.#read(type, stream);
      }),
    );
  }

  /** What happened since the last call, as far as every watch has come. */
  take(): OrderedEvent[] {
    if (this.#broken !== undefined) throw new Error('a watch broke', { cause: this.#broken });
    return this.#takeUpTo(Math.min(...this.#seen.values()));
  }

  /** All that is left, once nothing happens any more. */
  takeRest(): OrderedEvent[] {
    return this.#takeUpTo(Number.POSITIVE_INFINITY);
  }

  #takeUpTo(revision: number): OrderedEvent[] {
    const taken = this.#waiting.filter((event) => event.revision <= revision);
    this.#waiting = this.#waiting.filter((event) => event.revision > revision);
    return taken.sort((a, b) => a.revision - b.revision);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #read({ kind }: ResourceType, stream: AsyncIterable<Buffer>): Promise<void> {
    const lines = new LineSplitter();
    try {
      for await (const chunk of stream) {
        for (const line of lines.push(chunk)) {
          const { type, object }: { type: string; object: KubeObject } = JSON.parse(line);
          const revision = Number(object.metadata.resourceVersion);
          if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
            this.#waiting.push({ revision, type, kind, object });
          } else if (type !== 'BOOKMARK') throw new Error(`watch ${kind}: ${line}`);
          this.#seen.set(kind, Math.max(revision, this.#seen.get(kind) ?? 0));
        }
      }
      throw new Error(`watch ${kind}: closed`);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#broken = error;
    }
  }
}
