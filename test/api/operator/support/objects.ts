import { randomBytes } from 'node:crypto';
import type { AddressPool } from '../../../../crds/address-pool.ts';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../../../crds/load-balancer-provider.ts';
import type { PortPool } from '../../../../crds/port-pool.ts';
import {
  ADDRESS_POOLS,
  LOAD_BALANCER_PROVIDERS,
  LOAD_BALANCERS,
  PORT_POOLS,
} from '../../../../crds/resources.ts';
import { findCondition } from '../../../../kube/conditions.ts';
import { isClass } from '../../../../kube/errors.ts';
import type { Condition, KubeObject, Service } from '../../../../kube/objects.ts';
import { apiVersionOf, LEASES, type ResourceType, SERVICES } from '../../../../kube/resources.ts';
import { SERVICE_CONDITION } from '../../../../operator/plan/names.ts';
import type { ControlPlane } from '../../../controlplane/control-plane.ts';
import { freshNamespace } from '../../support/cluster.ts';
import { knownByAll } from './test-operator.ts';

type Spec<T extends { spec: object }> = Partial<T['spec']>;

/** What one test makes, in a namespace of its own and under names of its own; `clean` takes it all away. */
export class Fixture {
  readonly cluster: ControlPlane;
  readonly namespace: string;
  /** For names of cluster-scoped objects. */
  readonly id = randomBytes(4).toString('hex');
  readonly #made: { type: ResourceType; namespace?: string; name: string }[] = [];

  private constructor(cluster: ControlPlane, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  static async create(cluster: ControlPlane): Promise<Fixture> {
    return new Fixture(cluster, await freshNamespace(cluster));
  }

  get client() {
    return this.cluster.adminClient();
  }

  /** An announce provider that nothing else uses; its name is also its class. What moves away from it goes at once. */
  async provider(spec: Spec<LoadBalancerProvider> = {}, suffix = ''): Promise<string> {
    const name = `p${suffix}-${this.id}`;
    await this.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name },
      spec: { announce: {}, retireSeconds: 0, ...spec },
    });
    return name;
  }

  /** A pool for this fixture's providers and namespace alone: another test's Service may want a default provider too. */
  async pool(addresses: string[], spec: Spec<AddressPool> = {}, suffix = ''): Promise<string> {
    const name = `a${suffix}-${this.id}`;
    const providers = spec.providers ?? [`p-${this.id}`];
    const namespaceSelector = this.#ownNamespace();
    await this.make(ADDRESS_POOLS, {
      metadata: { name },
      spec: { addresses, namespaceSelector, ...spec, providers },
    });
    return name;
  }

  /** As of an agent on a node, for an operator with this fixture's `agentsNamespace`. */
  async liveAgent(node = 'n1'): Promise<void> {
    const metadata = {
      name: `fairlead-agent-${node}`,
      namespace: this.namespace,
      labels: { 'fairlead.dev/component': 'agent' },
    };
    await this.make(LEASES, { metadata, spec: { holderIdentity: node, leaseDurationSeconds: 3600 } });
  }

  async portPool(spec: Spec<PortPool>, suffix = ''): Promise<string> {
    const name = `n${suffix}-${this.id}`;
    const namespaceSelector = this.#ownNamespace();
    await this.make(PORT_POOLS, { metadata: { name }, spec: { namespaceSelector, ...spec } });
    return name;
  }

  #ownNamespace() {
    return { matchLabels: { 'kubernetes.io/metadata.name': this.namespace } };
  }

  async service(
    name: string,
    options: {
      provider?: string;
      annotations?: Record<string, string>;
      spec?: Partial<Service['spec']>;
    } = {},
  ): Promise<Service> {
    const { provider = `p-${this.id}`, annotations = {}, spec = {} } = options;
    const type = spec.type ?? 'LoadBalancer';
    return await this.make(SERVICES, {
      metadata: { name, namespace: this.namespace, annotations },
      spec: {
        type,
        ports: [{ name: 'http', port: 80 }],
        ...(type === 'LoadBalancer' && provider !== ''
          ? { loadBalancerClass: `fairlead.dev/${provider}` }
          : {}),
        ...spec,
      },
    });
  }

  async make<T extends KubeObject>(
    type: ResourceType<T>,
    object: { metadata: KubeObject['metadata']; spec?: object; [field: string]: unknown },
  ): Promise<T> {
    const { namespace, name } = object.metadata;
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, ...object };
    const made = await this.client.request<T>('POST', pathFor(type, namespace), { body });
    this.#made.push({ type, name, ...(namespace === undefined ? {} : { namespace }) });
    await untilKnown(type, made);
    return made;
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, name: string, patch: object): Promise<T> {
    const namespace = type.namespaced ? this.namespace : undefined;
    const patched = await this.client.patch(type, namespace, name, patch, { contentType: 'merge' });
    await untilKnown(type, patched);
    return patched;
  }

  async getService(name: string): Promise<Service> {
    return await this.client.get(SERVICES, this.namespace, name);
  }

  async getLoadBalancer(service: string, provider = `p-${this.id}`): Promise<LoadBalancer> {
    return await this.client.get(LOAD_BALANCERS, this.namespace, `${service}.${provider}`);
  }

  /** Waits for a Service to be as `check` wants; answers it. */
  async until(name: string, check: (service: Service) => boolean, what: string): Promise<Service> {
    return await waitFor(() => this.getService(name), check, `Service ${name}: ${what}`);
  }

  async untilLoadBalancer(
    service: string,
    check: (loadBalancer: LoadBalancer) => boolean,
    what: string,
    provider = `p-${this.id}`,
  ): Promise<LoadBalancer> {
    const found = await waitFor(
      async () => await orUndefined(this.getLoadBalancer(service, provider)),
      (each) => each !== undefined && check(each),
      `LoadBalancer of ${service}: ${what}`,
    );
    if (found === undefined) throw new Error('unreachable: just seen');
    return found;
  }

  async untilAddress(name: string): Promise<string> {
    const service = await this.until(name, (each) => addressesOf(each).length > 0, 'an address');
    return addressesOf(service)[0] ?? '';
  }

  async untilReason(name: string, reason: string): Promise<Condition> {
    const service = await this.until(
      name,
      (each) => conditionOf(each)?.reason === reason,
      `reason ${reason}`,
    );
    const condition = conditionOf(service);
    if (condition === undefined) throw new Error('unreachable: just seen');
    return condition;
  }

  async untilGone(type: ResourceType, name: string): Promise<void> {
    const namespace = type.namespaced ? this.namespace : undefined;
    await waitFor(
      () => this.exists(type, namespace, name),
      (exists) => !exists,
      `${type.kind} ${name} gone`,
    );
  }

  async exists(type: ResourceType, namespace: string | undefined, name: string): Promise<boolean> {
    return (await orUndefined(this.client.get(type, namespace, name))) !== undefined;
  }

  /** Services first, while an operator still runs to release them. */
  async clean(): Promise<void> {
    for (const { type, namespace, name } of this.#made.toReversed()) {
      await this.client.delete(type, namespace, name);
      if (type.plural === SERVICES.plural) await this.untilGone(type, name);
    }
  }
}

export function addressesOf(service: Service): string[] {
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

export function conditionOf(service: Service): Condition | undefined {
  return findCondition(service.status?.conditions, SERVICE_CONDITION);
}

const DECIDING: Readonly<Record<string, Parameters<typeof knownByAll>[0]>> = {
  loadbalancerproviders: 'providers',
  addresspools: 'addressPools',
  portpools: 'portPools',
};

/** What decides on Services made or changed after it is known to the operators here: what follows doesn't overtake it. */
async function untilKnown(type: ResourceType, object: KubeObject): Promise<void> {
  const kind = DECIDING[type.plural];
  if (kind === undefined) return;
  await waitFor(
    async () => knownByAll(kind, object),
    (isKnown) => isKnown,
    `the operators to know ${type.kind} ${object.metadata.name}`,
  );
}

async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isClass(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Asks again every 20 ms, for 30 s at most; the error says what was seen last. */
export async function waitFor<T>(
  look: () => Promise<T>,
  check: (seen: T) => boolean,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (check(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pathFor(type: ResourceType, namespace: string | undefined): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  return namespace === undefined
    ? `${root}/${type.plural}`
    : `${root}/namespaces/${namespace}/${type.plural}`;
}
