import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { findCondition } from '../../kube/conditions.ts';
import type { Service } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import { REASONS } from '../status/reasons.ts';
import { hasFinalizer, isBeingDeleted, loadBalancerName, SERVICE_CONDITION } from './names.ts';
import { type AnnotatedWishes, readAnnotations } from './read-annotations.ts';
import { type Choice, type KnownProvider, selectProviders } from './select-providers.ts';

/** All that is known about one Service at one moment. */
export interface ServiceView {
  /** undefined: it's gone. */
  service: Service | undefined;
  /** The LoadBalancers that name it, whichever uid they give. */
  owned: readonly LoadBalancer[];
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  providers: ReadonlyMap<string, KnownProvider>;
}

export type ServiceDecision =
  /** Not ours, and nothing of ours is on it. */
  | { kind: 'ignore' }
  /** Take these load balancers away; when `service` is set, take what is ours off it once they are gone. */
  | {
      kind: 'release';
      service?: Service;
      loadBalancers: LoadBalancer[];
      why: 'Gone' | 'Deleted' | 'NotWanted';
    }
  /** Take these away, which are in the way of a Service of ours: of one that had its name before. */
  | { kind: 'clear'; service: Service; loadBalancers: LoadBalancer[] }
  /** Ours, but nothing may be changed now: everything stays as it is, and the Service says why. */
  | { kind: 'hold'; service: Service; loadBalancers: LoadBalancer[]; finding: Finding }
  | {
      kind: 'serve';
      service: Service;
      wishes: AnnotatedWishes;
      choices: Choice[];
      /** Load balancers that aren't wanted any more, to go once the wanted ones are there. */
      surplus: LoadBalancer[];
      /** What is worth saying and holds nothing up. */
      findings: Finding[];
    };

/** What is to be done for a Service, from what is seen alone: the order of events doesn't matter. */
export function decideService(view: ServiceView): ServiceDecision {
  const { service } = view;
  const loadBalancers = [...view.owned];
  if (service === undefined) {
    return loadBalancers.length > 0 ? { kind: 'release', loadBalancers, why: 'Gone' } : { kind: 'ignore' };
  }
  const marked = hasFinalizer(service) || loadBalancers.length > 0;
  if (isBeingDeleted(service)) {
    return marked ? { kind: 'release', service, loadBalancers, why: 'Deleted' } : { kind: 'ignore' };
  }
  // Of a Service of that name that was before: in the way, and nobody's.
  const strangers = loadBalancers.filter((each) => each.spec.service.uid !== service.metadata.uid);
  const { wishes, invalid, unknown } = readAnnotations(service);
  const selection = selectProviders({ ...view, service, asked: wishes.providers });
  if (strangers.length > 0) {
    return selection.kind === 'foreign'
      ? { kind: 'release', loadBalancers: strangers, why: 'Gone' }
      : { kind: 'clear', service, loadBalancers: strangers };
  }
  if (selection.kind === 'foreign') {
    const told = findCondition(service.status?.conditions, SERVICE_CONDITION) !== undefined;
    return marked || told
      ? { kind: 'release', service, loadBalancers, why: 'NotWanted' }
      : { kind: 'ignore' };
  }
  const hold = (finding: Finding): ServiceDecision => ({ kind: 'hold', service, loadBalancers, finding });
  if (wishes.paused) return hold(PAUSED);
  const [bad] = invalid;
  if (bad !== undefined) return hold({ ...bad, message: invalid.map(({ message }) => message).join(' ') });
  if (selection.kind === 'undecided') return hold(selection.refusal);

  const wanted = new Set(selection.choices.map(({ name }) => loadBalancerName(service.metadata.name, name)));
  return {
    kind: 'serve',
    service,
    wishes,
    choices: selection.choices,
    surplus: loadBalancers.filter((each) => !wanted.has(each.metadata.name)),
    findings: unknown,
  };
}

const PAUSED: Finding = {
  reason: REASONS.paused,
  message: 'Nothing is changed as long as the annotation fairlead.dev/paused is "true".',
};
