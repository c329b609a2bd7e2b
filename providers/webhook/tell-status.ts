import type { LoadBalancerIngress } from '../../kube/objects.ts';
import type { Finding, ProviderStatus } from '../provider.ts';
import type { State } from './contract.ts';
import type { WebhookObserved } from './observed.ts';

/** A server that has no address yet, and doesn't say when it will. */
const NO_ADDRESS_SECONDS = 5;

const NO_ADDRESS: Finding = {
  reason: 'NoAddress',
  message: 'The server has named no address yet.',
};

/** What the outside sees, in the words of the server. */
export function tellStatus({ state }: WebhookObserved): ProviderStatus {
  const { ingress, providerID, targets, unhealthy, healthyPods } = state;
  const hasAddress = ingress.length > 0;
  const notProgrammed = state.notReady ?? (hasAddress ? undefined : NO_ADDRESS);
  const againAfterSeconds =
    state.againAfterSeconds ?? (notProgrammed === undefined ? undefined : NO_ADDRESS_SECONDS);
  return {
    ...(providerID === undefined ? {} : { providerID }),
    ingress: ingress.map(toIngress),
    ...(notProgrammed === undefined ? {} : { notProgrammed }),
    ...(targets === undefined ? {} : { targets }),
    ...(unhealthy === undefined ? {} : { unhealthy }),
    ...(healthyPods === undefined ? {} : { healthyPods }),
    ...(againAfterSeconds === undefined ? {} : { againAfterSeconds }),
  };
}

function toIngress({ ip, hostname, ipMode }: State['ingress'][number]): LoadBalancerIngress {
  if (ip === undefined) return { hostname: hostname ?? '' };
  return ipMode === undefined ? { ip } : { ip, ipMode };
}
