import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import { pathOf, type ResourceType } from './resources.ts';

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects a page; 0: all in one. @default 500 */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface ListPage<T> {
  items: T[];
  /** The same for all pages of one listing. */
  resourceVersion: string;
}

interface ListBody<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[] | null;
}

export const DEFAULT_PAGE_SIZE = 500;
const PAGE_TIMEOUT_MS = 60_000;

/**
 * The pages of a listing, as of one moment. While a page is worked on, the next is already on its way. No
 * `resourceVersion` is asked for, which means the newest (a quorum read): claims are decided on what is listed.
 * Throws Expired when the moment is compacted away between pages.
 */
export async function* listPages<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: ListOptions,
): AsyncGenerator<ListPage<T>> {
  const path = pathOf(type, options.namespace);
  const limit = options.limit ?? DEFAULT_PAGE_SIZE;
  const fetchPage = (token: string | undefined) =>
    client.request<ListBody<T>>('GET', path, {
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: limit > 0 ? limit : undefined,
        continue: token,
      },
      timeoutMs: PAGE_TIMEOUT_MS,
      signal: options.signal,
    });
  let next: Promise<ListBody<T>> | undefined = fetchPage(undefined);
  while (next !== undefined) {
    const body: ListBody<T> = await next;
    const token = body.metadata.continue;
    next = token === undefined || token === '' ? undefined : fetchPage(token);
    // When the reader stops early, nobody awaits this one any more.
    next?.catch(() => {});
    yield { items: body.items ?? [], resourceVersion: body.metadata.resourceVersion };
  }
}
