import type { Protocol } from '../../kube/objects.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { Finding } from '../../providers/provider.ts';
import { type CompiledPortPool, portKindName } from './compile-port-pools.ts';
import type { PortBook } from './port-book.ts';
import type { PortRequest } from './port-request.ts';

const MAX_POOLS_NAMED = 10;

/** Why a pool doesn't serve a Service, as the end of a sentence that begins with the pool; undefined when it does. */
export function whyPortPoolIsNotFor(pool: CompiledPortPool, request: PortRequest): string | undefined {
  if (pool.disabled) return 'is disabled';
  if (!matchesSelector(pool.namespaceSelector, request.namespaceLabels)) {
    return `does not select namespace "${request.namespace}"`;
  }
  if (!pool.autoAssign && request.pools.length === 0) {
    return 'serves only who asks for it (autoAssign is false)';
  }
  if (pool.total[request.kind] === 0) return `has no ${portKindName(request.kind)}s to give out`;
  return undefined;
}

/** Names each pool that was tried and why it gave no port for a protocol. */
export function explainNoPort(
  protocol: Protocol,
  request: PortRequest,
  tried: readonly CompiledPortPool[],
  book: PortBook,
): Finding {
  const what = portKindName(request.kind);
  if (tried.length === 0) {
    return {
      reason: 'NoPortPool',
      message: `There is no PortPool to take a ${what} from: create one with ${request.kind}s.`,
    };
  }
  let exhausted = false;
  const verdicts = tried.map((pool) => {
    const why = whyPortPoolIsNotFor(pool, request);
    if (why !== undefined) return `pool "${pool.name}" ${why}`;
    exhausted = true;
    const used = book.countUsed(request.kind, pool.ranges[request.kind], protocol);
    const refused = request.excluded?.size ? `, and the API server refused ${request.excluded.size}` : '';
    return `pool "${pool.name}" is exhausted (${used} of ${pool.total[request.kind]} ${protocol} ${what}s in use${refused})`;
  });
  const more =
    verdicts.length > MAX_POOLS_NAMED ? `; and ${verdicts.length - MAX_POOLS_NAMED} more pools` : '';
  const remedy = exhausted
    ? 'Add ports to a pool, or delete Services that need theirs no more.'
    : 'Ask for a pool that serves this Service with fairlead.dev/port-pool, or have one changed.';
  return {
    reason: exhausted ? 'PortPoolExhausted' : 'NoMatchingPortPool',
    message: `No ${what}: ${verdicts.slice(0, MAX_POOLS_NAMED).join('; ')}${more}. ${remedy}`,
  };
}
