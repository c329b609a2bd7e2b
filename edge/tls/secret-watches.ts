import type { KubeClient } from '../../kube/client.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/log.ts';
import type { Secret } from '../../kube/objects.ts';
import { SECRETS } from '../../kube/resources.ts';

/** What is known of one Secret. */
export type SecretReading =
  /** Nobody has answered yet. */
  { state: 'Pending' } | { state: 'Forbidden' } | { state: 'Missing' } | { state: 'There'; secret: Secret };

export interface SecretWatchesOptions {
  client: KubeClient;
  log: Logger;
  /** Something else is known of one of them. */
  onChange: () => void;
}

interface Watched {
  informer: Informer<Secret>;
  isForbidden: boolean;
}

/** Whoever is given the right to read a Secret need not wait for long. */
const LONGEST_DELAY_MS = 10_000;

/**
 * Follows the Secrets that are named, and no other: one watch each, of this one name. So a Role that names them is all the
 * right that it takes, and what else there is in a namespace can't be read (RBAC takes the name of a list or a watch from its
 * field selector: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources).
 */
export class SecretWatches {
  readonly #options: SecretWatchesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: SecretWatchesOptions) {
    this.#options = options;
  }

  /** What is known of these, by `namespace/name`. Others aren't followed any more. */
  follow(keys: Iterable<string>): Map<string, SecretReading> {
    const wanted = new Set(keys);
    for (const [key, { informer }] of this.#watched) {
      if (wanted.has(key)) continue;
      this.#watched.delete(key);
      void informer.stop();
    }
    return new Map([...wanted].map((key) => [key, read(key, this.#watched.get(key) ?? this.#watch(key))]));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ informer }) => informer.stop()));
  }

  #watch(key: string): Watched {
    const { client, log, onChange } = this.#options;
    const [namespace = '', name = ''] = key.split('/');
    const informer = createInformer(client, SECRETS, {
      log: log.child({ secret: key }),
      namespace,
      fieldSelector: `metadata.name=${name}`,
      longestDelayMs: LONGEST_DELAY_MS,
      onError: ({ code }) => {
        const isForbidden = code === 403;
        const isNews = watched.isForbidden !== isForbidden;
        watched.isForbidden = isForbidden;
        if (isNews) onChange();
      },
    });
    const watched: Watched = { informer, isForbidden: false };
    informer.store.onChange(onChange);
    informer.start();
    void informer.synced.then(onChange);
    this.#watched.set(key, watched);
    return watched;
  }
}

/** Of one that could be read once, the last that was read is what counts. */
function read(key: string, { informer, isForbidden }: Watched): SecretReading {
  if (!informer.hasSynced) return { state: isForbidden ? 'Forbidden' : 'Pending' };
  const secret = informer.store.get(key);
  return secret === undefined ? { state: 'Missing' } : { state: 'There', secret };
}
