import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { Service } from '../../kube/objects.ts';
import { findIgnoredTls } from '../../providers/haproxy/read-options.ts';
import type { Finding, OptionsReading } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { checkPorts } from '../plan/check-ports.ts';
import { checkQuota } from '../plan/check-quota.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';

/** What the provider makes of the Service's annotations; undefined for one that reads none. */
export function readOptions(
  { providers }: ReconcileContext,
  service: Service,
  provider: LoadBalancerProvider | undefined,
): OptionsReading | undefined {
  const type = provider === undefined ? undefined : providerTypeOf(provider.spec);
  if (provider === undefined || type === undefined) return undefined;
  const { annotations = {} } = service.metadata;
  const reading = providers.get(type)?.readOptions?.(annotations, provider.spec);
  const ignored = type === 'haproxy' ? [] : findIgnoredTls(annotations);
  if (ignored.length === 0) return reading;
  const { options = {}, invalid = [], ...more } = reading ?? {};
  return { ...more, options, invalid, ignored: [...(reading?.ignored ?? []), ...ignored] };
}

/** What speaks against the Service, against one that isn't there yet, or is on its way out. */
export function refuseLoadBalancer(
  { claims }: ReconcileContext,
  key: string,
  service: Service,
  provider: LoadBalancerProvider | undefined,
  existing: LoadBalancer | undefined,
): Finding | undefined {
  if (existing !== undefined && isBeingDeleted(existing)) {
    const message = `LoadBalancer "${existing.metadata.name}" is being deleted, and made anew once it is gone.`;
    return { reason: REASONS.deleting, message };
  }
  const ports = checkPorts(service);
  if (existing !== undefined || provider === undefined || ports !== undefined) return ports;
  const namespace = key.slice(0, key.indexOf('/'));
  const others = claims.countOthers(provider.metadata.name, namespace, key);
  return checkQuota(provider, namespace, others);
}

/** What the provider can't make sense of, as one finding. */
export function findInvalid(reading: OptionsReading | undefined): Finding | undefined {
  const [first] = reading?.invalid ?? [];
  return (
    first && {
      reason: first.reason,
      message: reading?.invalid.map(({ message }) => message).join(' ') ?? first.message,
    }
  );
}
