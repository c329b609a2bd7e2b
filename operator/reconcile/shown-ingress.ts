import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerIngress, Service } from '../../kube/objects.ts';
import { ingressOf } from '../status/service-status.ts';

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

/** What clients were told last of this one: the Service's status may show another one's, until this one serves. */
export function shownIngress(
  { service, feedsService }: Shown,
  existing: LoadBalancer | undefined,
): LoadBalancerIngress[] {
  const own = (existing?.status?.ingress ?? []).map(asIngress);
  if (!feedsService) return own;
  const shown = [...ingressOf(service)];
  const claimed = existing?.spec.addresses ?? [];
  // Its status is written after the Service's, when there is time.
  if (claimed.length === 0) return own.length > 0 ? own : shown;
  return shown.some(({ ip }) => claimed.some(({ address }) => address === ip)) ? shown : own;
}

/** The addresses among that. */
export function shownAddresses(shown: Shown, existing: LoadBalancer | undefined): string[] {
  return shownIngress(shown, existing).flatMap(({ ip }) => ip ?? []);
}
