import type { IpFamily } from '../../kube/objects.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { Finding } from '../../providers/provider.ts';
import type { AddressBook } from './address-book.ts';
import type { AddressRequest } from './address-request.ts';
import type { CompiledAddressPool } from './compile-address-pools.ts';

/** A condition's message is read by people: so many pools are named, the rest counted. */
const MAX_POOLS_NAMED = 10;

/**
 * Why a pool doesn't serve a Service, as the end of a sentence that begins with the pool; undefined when it does.
 * `asked`: the Service asks for the pool or for an address in it, so that `autoAssign: false` is no obstacle.
 */
export function whyPoolIsNotFor(
  pool: CompiledAddressPool,
  request: AddressRequest,
  { asked }: { asked: boolean },
): string | undefined {
  if (pool.disabled) return 'is disabled';
  if (pool.providers !== undefined && !pool.providers.includes(request.provider)) {
    return `is not for provider "${request.provider}"`;
  }
  if (!matchesSelector(pool.namespaceSelector, request.namespaceLabels)) {
    return `does not select namespace "${request.namespace}"`;
  }
  if (!matchesSelector(pool.serviceSelector, request.serviceLabels)) {
    return "does not select the Service's labels";
  }
  if (!pool.autoAssign && !asked) return 'serves only who asks for it (autoAssign is false)';
  return undefined;
}

/** Names each pool that was tried and why it gave no address of a family. */
export function explainNoAddress(
  family: IpFamily,
  request: AddressRequest,
  tried: readonly CompiledAddressPool[],
  book: AddressBook,
): Finding {
  if (tried.length === 0) {
    return {
      reason: 'NoAddressPool',
      message: `There is no AddressPool to take an ${family} address from: create one.`,
    };
  }
  let exhausted = false;
  const verdicts = tried.map((pool) => {
    const why = whyPoolIsNotFor(pool, request, { asked: request.pools.length > 0 });
    if (why !== undefined) return `pool "${pool.name}" ${why}`;
    if (pool.total[family] === 0n) return `pool "${pool.name}" has no ${family} addresses`;
    exhausted = true;
    const used = book.countUsed(pool.ranges[family]);
    return `pool "${pool.name}" is exhausted (${used} of ${pool.total[family]} ${family} addresses in use)`;
  });
  const more =
    verdicts.length > MAX_POOLS_NAMED ? `; and ${verdicts.length - MAX_POOLS_NAMED} more pools` : '';
  const remedy = exhausted
    ? 'Add addresses to a pool, or delete Services that need theirs no more.'
    : 'Ask for a pool that serves this Service with fairlead.dev/address-pool, or have one changed.';
  return {
    reason: exhausted ? 'AddressPoolExhausted' : 'NoMatchingAddressPool',
    message: `No ${family} address: ${verdicts.slice(0, MAX_POOLS_NAMED).join('; ')}${more}. ${remedy}`,
  };
}
