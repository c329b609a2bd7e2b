import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/log.ts';
import type { Lease } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { LEASES } from '../../kube/resources.ts';
import { LEASE_PREFIX, MEMBER_SELECTOR, parseLease } from './member-record.ts';
import type { Ownership } from './ownership.ts';
import type { AnnounceTimes } from './times.ts';

export interface MemberWatchOptions {
  client: KubeClient;
  namespace: string;
  times: AnnounceTimes;
  ownership: Ownership;
  /** Runs each change of the ownership, so that what follows from it is done. */
  see: (apply: (now: number) => void) => void;
  log: Logger;
}

/** Feeds the ownership with the members' Leases, in the API server's order. */
export function watchMembers(options: MemberWatchOptions): Reflector<Lease> {
  const { client, namespace, times, ownership, see, log } = options;
  return new Reflector<Lease>(
    {
      client,
      type: LEASES,
      namespace,
      labelSelector: MEMBER_SELECTOR,
      // Our own renewals come back each second.
      idleTimeoutMs: times.leaseMs,
      longestDelayMs: times.renewMs,
      log,
    },
    {
      replace: (leases) => {
        const records = leases.flatMap((lease) => parseLease(lease) ?? []);
        see((now) => ownership.replace(records, now));
      },
      upsert: (lease) => {
        const record = parseLease(lease);
        if (record !== undefined) see((now) => ownership.upsert(record, now));
      },
      remove: (lease) => {
        const node = lease.metadata.name.slice(LEASE_PREFIX.length);
        see((now) => ownership.remove(node, now));
      },
    },
  );
}
