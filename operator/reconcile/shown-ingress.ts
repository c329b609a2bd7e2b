import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerIngress, Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import { isSame } from '../plan/choose-ingress.ts';
import { ingressOf } from '../status/service-status.ts';
import type { ReconcileContext } from './context.ts';

type StatusIngress = NonNullable<NonNullable<LoadBalancer['status']>['ingress']>[number];

/** As a LoadBalancer's status has it, without what isn't said. */
export function asIngress({ ip, hostname, ipMode }: StatusIngress): LoadBalancerIngress {
  return {
    ...(ip === undefined ? {} : { ip }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(ipMode === undefined ? {} : { ipMode }),
  };
}

/** An address of ours: packets reach the nodes with it (KEP-1860). */
export function toIngress(ip: string): LoadBalancerIngress {
  return { ip, ipMode: 'VIP' };
}

interface Shown {
  service: Service;
  feedsService: boolean;
}

interface Told {
  caches: { freshLoadBalancers: Pick<ReconcileContext['caches']['freshLoadBalancers'], 'get' | 'byGroup'> };
  toldLoadBalancer: ReconcileContext['toldLoadBalancer'];
}

/** What a LoadBalancer says, or is about to: its status is written when there is time. */
export function toldIngress(context: Told, existing: LoadBalancer | undefined): LoadBalancerIngress[] {
  if (existing === undefined) return [];
  const key = keyOf(existing);
  const told = context.toldLoadBalancer(key)?.provider?.ingress;
  // It may have been written while this turn waited for a provider.
  const { status } = context.caches.freshLoadBalancers.get(key) ?? existing;
  return (told ?? status?.ingress ?? []).map(asIngress);
}

/** What clients were told last of this one: the Service's status may show another one's, until this one serves. */
export function shownIngress(
  context: Told,
  { service, feedsService }: Shown,
  existing: LoadBalancer | undefined,
): LoadBalancerIngress[] {
  const own = toldIngress(context, existing);
  if (!feedsService) return own;
  const shown = [...ingressOf(service)];
  const claimed = existing?.spec.addresses ?? [];
  // The Service's status is written first.
  if (claimed.length === 0) return own.length > 0 ? own : withoutOthers(context, shown, service, existing);
  return shown.some(({ ip }) => claimed.some(({ address }) => address === ip)) ? shown : own;
}

/** Less what other load balancers of the Service claim, or say. */
function withoutOthers(
  context: Told,
  shown: readonly LoadBalancerIngress[],
  service: Service,
  own: LoadBalancer | undefined,
): LoadBalancerIngress[] {
  const others = context.caches.freshLoadBalancers
    .byGroup(keyOf(service))
    .filter(({ metadata }) => metadata.name !== own?.metadata.name);
  const isTheirs = (each: LoadBalancerIngress) =>
    others.some(
      (other) =>
        other.spec.addresses?.some(({ address }) => address === each.ip) ||
        toldIngress(context, other).some((one) => isSame(one, each)),
    );
  return shown.filter((each) => !isTheirs(each));
}

/** The addresses among that. */
export function shownAddresses(context: Told, shown: Shown, existing: LoadBalancer | undefined): string[] {
  return shownIngress(context, shown, existing).flatMap(({ ip }) => ip ?? []);
}
