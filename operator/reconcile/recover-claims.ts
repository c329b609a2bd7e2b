import type { AddressClaim } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import { parseAddress } from '../allocate/address-ranges.ts';
import { buildAddressRequest } from '../allocate/address-request.ts';
import { poolHolds } from '../allocate/compile-address-pools.ts';
import { refuseToShareWithAny } from '../allocate/share-address.ts';
import { decideService } from '../plan/decide-service.ts';
import { hasFinalizer, loadBalancerName } from '../plan/names.ts';
import { ingressOf } from '../status/service-status.ts';
import type { ReconcileContext } from './context.ts';

/**
 * Services that show an address and have no LoadBalancer that claims it: it was deleted while no operator ran. The
 * address is held for them before anything is handed out, so that it comes back to them. Answers their keys.
 */
export function recoverClaims(context: ReconcileContext): string[] {
  const { caches } = context;
  const recovered: string[] = [];
  for (const service of caches.services.store.list()) {
    if (!hasFinalizer(service) || ingressOf(service).length === 0) continue;
    if (caches.loadBalancers.store.byIndex('service', keyOf(service)).length > 0) continue;
    if (recoverOne(context, service)) recovered.push(keyOf(service));
  }
  return recovered;
}

function recoverOne(context: ReconcileContext, service: Service): boolean {
  const { caches, compiled, claims } = context;
  const namespaceLabels = caches.namespaces.store.get(service.metadata.namespace ?? '')?.metadata.labels;
  const decision = decideService({ service, owned: [], namespaceLabels, providers: compiled.providers });
  const [first] = decision.kind === 'serve' ? decision.choices : [];
  if (first === undefined) return false;
  const owner = `${service.metadata.namespace}/${loadBalancerName(service.metadata.name, first.name)}`;
  const request = buildAddressRequest(service, { owner, provider: first.name, namespaceLabels });
  const shown = ingressOf(service).flatMap(({ ip }): AddressClaim[] => {
    const address = ip === undefined ? undefined : parseAddress(ip);
    const pool = compiled.addressPools.find((each) => address !== undefined && poolHolds(each, address));
    if (ip === undefined || address === undefined || pool === undefined) return [];
    const taken = refuseToShareWithAny(ip, request, claims.addresses.holdersOf(ip));
    return taken === undefined ? [{ address: ip, family: address.family, pool: pool.name }] : [];
  });
  if (shown.length === 0) return false;
  const { namespace, service: name, provider, sharedKey, frontends } = request;
  claims.reserveAddresses({ owner, namespace, service: name, provider, sharedKey, frontends, claims: shown });
  return true;
}
