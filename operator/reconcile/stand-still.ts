import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerIngress } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import { describeFailure } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';
import type { Ensured, EnsureInput } from './ensured.ts';
import type { LoadBalancerPlan } from './plan-load-balancer.ts';
import { shownIngress, toIngress, toldIngress } from './shown-ingress.ts';

/** Nothing new may be done: what there is goes on serving. */
export function keepAsItIs(
  context: ReconcileContext,
  key: string,
  input: EnsureInput,
  existing: LoadBalancer | undefined,
  refused: Finding | undefined,
): Ensured {
  const claims = existing === undefined ? [] : (context.claims.addresses.get(key)?.claims ?? []);
  const held = claims.map(({ address }) => address);
  // Of a move that stands still both addresses are claimed; shown is what was shown.
  const before = shownIngress(context, input, existing);
  const shown = before.filter(({ ip = '' }) => held.includes(ip));
  const texts = shown.length > 0 ? shown.flatMap(({ ip }) => ip ?? []) : held;
  const ingress = hasOwnAddresses(context, existing) ? before : ingressOfHeld(held, shown, existing);
  return {
    outcome: {
      provider: input.choice.name,
      refused,
      ports: input.portOutcome,
      addresses: { texts },
      programmed: undefined,
      notes: [],
    },
    ingress,
    loadBalancer: existing,
  };
}

/** The provider failed: nothing that wasn't shown before is shown. */
export function notCarriedOut(
  context: ReconcileContext,
  written: LoadBalancer,
  plan: LoadBalancerPlan,
  input: EnsureInput,
  failure: unknown,
): Ensured {
  const { choice, portOutcome } = input;
  const held = (written.spec.addresses ?? []).map(({ address }) => address);
  const ingress =
    held.length > 0
      ? shownIngress(context, input, written).filter(({ ip = '' }) => held.includes(ip))
      : toldIngress(context, written);
  const message = `Provider "${choice.name}" failed: ${describeFailure(failure)}`;
  return {
    outcome: {
      provider: choice.name,
      ports: portOutcome,
      addresses: {
        texts: plan.addresses.map(({ address }) => address),
        finding: plan.refused,
        own: plan.own,
      },
      programmed: { finding: { reason: REASONS.syncFailed, message } },
      notes: plan.notes,
    },
    ingress,
    loadBalancer: written,
    failure,
  };
}

/** Nothing is claimed for it: what was shown is all that is known. */
function hasOwnAddresses(context: ReconcileContext, existing: LoadBalancer | undefined): boolean {
  if (existing === undefined) return false;
  const { addresses = [], provider } = existing.spec;
  return addresses.length === 0 && context.providers.get(provider.type)?.addressesFromPools === false;
}

/** Of addresses from pools, those to go on showing: what the cluster's own nodes announce needs no other that carries it out. */
function ingressOfHeld(
  held: readonly string[],
  shown: readonly LoadBalancerIngress[],
  existing: LoadBalancer | undefined,
): LoadBalancerIngress[] {
  if (shown.length > 0) return [...shown];
  return existing?.spec.provider.type === 'announce' ? held.map(toIngress) : [];
}
