import { join } from 'node:path';
import Operator, {
  type OperatorOptions,
  type ResourceEvent,
  ResourceEventType,
  type ResourceMeta,
  type WatchOptions,
} from '../../../operator/operator.ts';

export const FINALIZER = 'widgets.test.fairlead.dev/cleanup';
const CRD_FILE = join(import.meta.dirname, 'widgets.crd.yaml');

export interface Told {
  type: ResourceEventType;
  name: string;
  foo: string | undefined;
}

/** Written as the README of the base class shows it: a CRD registered in init(), a handler with finalizer and status. */
export class WidgetOperator extends Operator {
  readonly told: Told[] = [];
  readonly deleted: string[] = [];
  readonly metas = new Map<string, ResourceMeta>();
  readonly #namespace: string;

  constructor(namespace: string, options: OperatorOptions) {
    super(undefined, options);
    this.#namespace = namespace;
  }

  protected override async init(): Promise<void> {
    const { group, versions, plural } = await this.registerCustomResourceDefinition(CRD_FILE);
    await this.watchResource(
      group,
      versions[0]?.name ?? '',
      plural,
      async (e) => {
        this.told.push({ type: e.type, name: e.meta.name, foo: fooOf(e) });
        if (e.type === ResourceEventType.Added || e.type === ResourceEventType.Modified) {
          if (!(await this.handleResourceFinalizer(e, FINALIZER, (event) => this.#resourceDeleted(event)))) {
            await this.#resourceModified(e);
          }
        }
      },
      this.#namespace,
    );
  }

  override setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    return super.setResourceStatus(meta, status);
  }

  override patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta | null> {
    return super.patchResourceStatus(meta, status);
  }

  override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    return super.getCustomResourceApiUri(group, version, plural, namespace);
  }

  async #resourceModified(e: ResourceEvent): Promise<void> {
    this.metas.set(e.meta.name, e.meta);
    const generation = generationOf(e);
    if (observedGenerationOf(e) === generation) return;
    const meta = await this.setResourceStatus(e.meta, { observedGeneration: generation, seen: fooOf(e) });
    if (meta !== null) this.metas.set(meta.name, meta);
  }

  async #resourceDeleted(e: ResourceEvent): Promise<void> {
    this.deleted.push(e.meta.name);
    // The event that this leads to still has the finalizer, and must not lead here again.
    await this.patchResourceStatus(e.meta, { note: 'deleting' });
  }
}

type Watched = [group: string, version: string, plural: string, options?: WatchOptions];

/** Watches kinds in one namespace and hands every event to a function. */
export class WatchingOperator extends Operator {
  readonly #namespace: string;
  readonly #watched: Watched[];
  readonly #onEvent: (event: ResourceEvent, plural: string) => Promise<void>;

  constructor(
    namespace: string,
    watched: Watched[],
    onEvent: (event: ResourceEvent, plural: string) => Promise<void>,
    options: OperatorOptions,
  ) {
    super(undefined, options);
    this.#namespace = namespace;
    this.#watched = watched;
    this.#onEvent = onEvent;
  }

  protected override async init(): Promise<void> {
    for (const [group, version, plural, options] of this.#watched) {
      const onEvent = (event: ResourceEvent) => this.#onEvent(event, plural);
      await this.watchResource(group, version, plural, onEvent, this.#namespace, options);
    }
  }
}

export interface Widget {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    generation?: number;
    finalizers?: string[];
    resourceVersion?: string;
  };
  spec: { foo: string };
  status?: { observedGeneration?: number; seen?: string; note?: string };
}

export function fooOf(event: ResourceEvent): string | undefined {
  return fieldsOf(event).spec?.foo;
}

function generationOf(event: ResourceEvent): number | undefined {
  return fieldsOf(event).metadata?.generation;
}

function observedGenerationOf(event: ResourceEvent): number | undefined {
  return fieldsOf(event).status?.observedGeneration;
}

function fieldsOf(event: ResourceEvent): Partial<Widget> {
  return event.object as object as Partial<Widget>;
}
