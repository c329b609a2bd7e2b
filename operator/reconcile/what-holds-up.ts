import { type ClassedError, isClass, withRetryAfter } from '../../kube/errors.ts';
import { REASONS } from '../status/reasons.ts';
import type { Ensured } from './ensured.ts';
import type { WaitsFor } from './waiting.ts';

/** No watch tells that a ResourceQuota has room again: it is asked so often at first, less and less often later. */
const QUOTA_SECONDS = 5;

/** What the load balancers of a Service wait for, after a turn. */
export function waitsFor(ensured: readonly Ensured[]): WaitsFor {
  const isHeldUp = ensured.some(
    (each) => each.loadBalancer === undefined || each.outcome.refused !== undefined || lacksClaims(each),
  );
  if (!isHeldUp) return 'nothing';
  // What was claimed for a write that was refused is free again: who waited for that, too, would wake itself.
  const isLetGo = ensured.some((each) => writeRefusal(each) !== undefined);
  return ensured.some(lacksClaims) && !isLetGo ? 'claims' : 'objects';
}

/**
 * The refusal of a write that is tried again on a timer, with the time that the queue waits at least. Of others it's waited
 * for a change; but one that has the Service wait for no claims, though a load balancer of it lacks some, is.
 */
export function refusalToRetry(ensured: readonly Ensured[]): ClassedError | undefined {
  const refusals = ensured.flatMap((each) => writeRefusal(each) ?? []);
  const isLacking = ensured.some(lacksClaims);
  const refusal = isLacking ? refusals[0] : refusals.find(isQuota);
  return refusal && withRetryAfter(refusal, QUOTA_SECONDS);
}

/** The Kubernetes API server's refusal of the LoadBalancer: a provider's own comes after it was written. */
function writeRefusal({ outcome, failure }: Ensured): ClassedError | undefined {
  return outcome.refused !== undefined && isClass(failure, 'Rejected') ? failure : undefined;
}

/** Names of the providers that refuse what they are to carry out: it may be mended there, and nobody tells. */
export function refusingProviders(ensured: readonly Ensured[]): string[] {
  return ensured.flatMap(({ outcome, failure }) =>
    outcome.refused === undefined && isClass(failure, 'Rejected') ? outcome.provider : [],
  );
}

/** Others' claims may be what it lacks: addresses, ports, or room in the provider's share of a namespace. */
function lacksClaims({ outcome: { refused, ports, addresses, notes } }: Ensured): boolean {
  return (
    refused?.reason === REASONS.quotaExceeded ||
    // Otherwise the API server has refused node ports, and they are free again.
    (ports.finding !== undefined && ports.finding.reason !== REASONS.syncFailed) ||
    addresses.finding !== undefined ||
    notes.length > 0
  );
}

/** k8s.io/apiserver/pkg/admission/plugin/resourcequota: 403, told from others by its text alone. */
function isQuota({ code, message }: ClassedError): boolean {
  return code === 403 && /exceeded quota: |status unknown for quota: /.test(message);
}
