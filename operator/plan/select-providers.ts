import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { Service } from '../../kube/objects.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import type { Finding } from '../../providers/provider.ts';
import { REASONS } from '../status/reasons.ts';
import { isBeingDeleted, loadBalancerName, providerOfClass } from './names.ts';

/** A provider with what its implementation says about its configuration. */
export interface KnownProvider {
  object: LoadBalancerProvider;
  /** Empty: accepted. */
  findings: Finding[];
}

export interface SelectionInput {
  service: Service;
  /** `fairlead.dev/providers`, as read. */
  asked: readonly string[] | undefined;
  /** undefined: the Namespace isn't known (yet). */
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  providers: ReadonlyMap<string, KnownProvider>;
  /** The LoadBalancers that the Service has. */
  owned: readonly LoadBalancer[];
}

/** One provider that the Service is to have, or why it can't. */
export interface Choice {
  name: string;
  provider?: LoadBalancerProvider;
  /** Why nothing new is done here; a LoadBalancer that exists is kept as it is. */
  refusal?: Finding;
}

export type Selection =
  /** Not for us: another class, another type, or nobody's default. */
  | { kind: 'foreign' }
  /** In order; the first feeds the Service's status. */
  | { kind: 'chosen'; choices: Choice[] }
  /** For us, but by which provider can't be said. */
  | { kind: 'undecided'; refusal: Finding };

/** Decides which providers serve a Service. A Service of another class is never ours, whatever else it says. */
export function selectProviders(input: SelectionInput): Selection {
  const { service, asked } = input;
  const { type, loadBalancerClass } = service.spec;
  if (type === 'NodePort') return asked === undefined ? { kind: 'foreign' } : choose(asked, input);
  if (type !== 'LoadBalancer') return { kind: 'foreign' };
  if (loadBalancerClass === undefined) {
    return asked === undefined ? selectDefault(input) : choose(asked, input);
  }
  const named = providerOfClass(loadBalancerClass);
  return named === undefined ? { kind: 'foreign' } : choose(asked ?? [named], input);
}

/**
 * The default, unless the Service has a load balancer already: moving the default, or deleting a provider, moves nobody's
 * address.
 */
function selectDefault(input: SelectionInput): Selection {
  const [oldest] = [...input.owned].sort(byAge);
  if (oldest !== undefined) return choose([oldest.spec.provider.name], input);
  const defaults = [...input.providers.values()]
    .filter(({ object }) => object.spec.default === true && !isBeingDeleted(object))
    .map(({ object }) => object.metadata.name)
    .sort();
  const [only, another] = defaults;
  if (only === undefined) return { kind: 'foreign' };
  if (another === undefined) return choose([only], input);
  return {
    kind: 'undecided',
    refusal: {
      reason: REASONS.ambiguousDefault,
      message: `The LoadBalancerProviders ${defaults.join(' and ')} all say "default: true": leave it on one, or name one in spec.loadBalancerClass or fairlead.dev/providers.`,
    },
  };
}

function choose(names: readonly string[], input: SelectionInput): Selection {
  return { kind: 'chosen', choices: names.map((name) => chooseOne(name, input)) };
}

function chooseOne(name: string, input: SelectionInput): Choice {
  const known = input.providers.get(name);
  if (known === undefined) {
    return {
      name,
      refusal: {
        reason: REASONS.providerNotFound,
        message: `There is no LoadBalancerProvider "${name}": create it, or name one that exists.`,
      },
    };
  }
  const refusal = refuseTenant(known, input) ?? refuseName(name, input.service);
  return { name, provider: known.object, ...(refusal === undefined ? {} : { refusal }) };
}

function refuseTenant({ object, findings }: KnownProvider, input: SelectionInput): Finding | undefined {
  const { name } = object.metadata;
  const { namespace = '' } = input.service.metadata;
  const [wrong] = findings;
  if (wrong !== undefined) {
    return {
      reason: REASONS.providerNotAccepted,
      message: `The configuration of LoadBalancerProvider "${name}" is not accepted: ${wrong.message}`,
    };
  }
  if (isBeingDeleted(object)) {
    return { reason: REASONS.providerNotFound, message: `LoadBalancerProvider "${name}" is being deleted.` };
  }
  const tenants = object.spec.tenants;
  if (!matchesSelector(tenants?.namespaceSelector, input.namespaceLabels)) {
    return {
      reason: REASONS.namespaceNotAllowed,
      message: `LoadBalancerProvider "${name}" does not serve namespace "${namespace}": have its tenants.namespaceSelector or the namespace's labels changed, or name another provider.`,
    };
  }
  return undefined;
}

/** Names of objects end at 253 characters; labels' values, such as the provider's name, at 63. */
function refuseName(provider: string, service: Service): Finding | undefined {
  if (provider.length <= 63 && loadBalancerName(service.metadata.name, provider).length <= 253)
    return undefined;
  return {
    reason: REASONS.nameTooLong,
    message: `The name of LoadBalancerProvider "${provider}" is longer than 63 characters: name another provider.`,
  };
}

function byAge(a: LoadBalancer, b: LoadBalancer): number {
  const left = `${a.metadata.creationTimestamp} ${a.metadata.name}`;
  const right = `${b.metadata.creationTimestamp} ${b.metadata.name}`;
  return left < right ? -1 : left > right ? 1 : 0;
}
