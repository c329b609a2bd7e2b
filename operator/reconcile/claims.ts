import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import { AddressBook, type AddressHolding } from '../allocate/address-book.ts';
import { type HeldPort, PortBook } from '../allocate/port-book.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { type Caches, serviceKeyOf, tenantOf } from './caches.ts';
import { ForeignEdits } from './foreign-edits.ts';

/**
 * Who holds which addresses and ports: the books of operator/allocate, kept equal to what the API server has, plus what
 * is on its way there. Decide and reserve without an await between, and no two can get the same.
 *
 * A reservation adds to what the owner holds; it is settled when the write was answered. A write whose outcome isn't
 * known stays reserved: the address may be claimed already, and giving it to another would be the one fault not allowed.
 */
export class Claims {
  readonly addresses = new AddressBook();
  readonly ports = new PortBook();
  readonly #caches: Caches;
  readonly #onFreed: () => void;
  readonly #reservedAddresses = new Map<string, AddressHolding>();
  readonly #reservedPorts = new Map<string, readonly HeldPort[]>();
  /** What the address book has of each owner, so that what didn't change isn't taken in again. */
  readonly #takenIn = new Map<
    string,
    { latest: LoadBalancer['spec'] | undefined; reserved: AddressHolding | undefined }
  >();
  /** LoadBalancers that were deleted past us while their Service wants them: made anew with the same claims. */
  readonly #departed = new Map<string, LoadBalancer>();
  readonly #edits = new ForeignEdits();
  /** Owners whose LoadBalancer we delete ourselves. */
  readonly #leaving = new Set<string>();
  /** Owners of load balancers by provider and namespace, with those on their way. */
  readonly #tenants = new Map<string, Set<string>>();

  /** `onFreed` is told when something was let go that others may wait for. */
  constructor(caches: Caches, onFreed: () => void) {
    this.#caches = caches;
    this.#onFreed = onFreed;
    caches.loadBalancers.store.onChange(({ type, key, object, previous }) => {
      if (type === 'Deleted') this.#keepWhenWanted(key, object);
      else if (type === 'Modified') this.#noteEdit(key);
      this.#refreshLoadBalancer(key);
      this.#refreshPorts(serviceKeyOf(object));
      if (previous !== undefined && serviceKeyOf(previous) !== serviceKeyOf(object)) {
        this.#refreshPorts(serviceKeyOf(previous));
      }
    });
    caches.services.store.onChange(({ key }) => this.#refreshPorts(key));
  }

  /** Holds addresses for a LoadBalancer that is about to be written, beside those that it has. */
  reserveAddresses(holding: AddressHolding): void {
    this.#leaving.delete(holding.owner);
    this.#reservedAddresses.set(holding.owner, holding);
    this.#refreshLoadBalancer(holding.owner);
  }

  /** The write was answered (or surely not done): what the API server has is what counts. */
  settleAddresses(owner: string): void {
    this.#reservedAddresses.delete(owner);
    this.#departed.delete(owner);
    this.#refreshLoadBalancer(owner);
    const latest = this.#caches.freshLoadBalancers.get(owner);
    if (latest !== undefined) this.#refreshPorts(serviceKeyOf(latest));
  }

  /** The LoadBalancer is about to be deleted: once it's gone, its claims are free. */
  letGo(owner: string): void {
    this.#leaving.add(owner);
    this.#reservedAddresses.delete(owner);
    this.#departed.delete(owner);
    this.#refreshLoadBalancer(owner);
  }

  /** The Service wants nothing any more: reservations that no LoadBalancer stands for are dropped. */
  letGoOfService(serviceKey: string): void {
    for (const owner of this.reservedOf(serviceKey)) this.settleAddresses(owner);
    this.settlePorts(serviceKey);
  }

  /** A LoadBalancer of this Service that was deleted past us, for what it had claimed. */
  departedOf(serviceKey: string): LoadBalancer | undefined {
    for (const departed of this.#departed.values()) {
      if (serviceKeyOf(departed) === serviceKey) return departed;
    }
    return undefined;
  }

  /** Owners with a reservation that are of this Service. */
  reservedOf(serviceKey: string): string[] {
    return [...this.#reservedAddresses.values()]
      .filter(({ namespace, service }) => `${namespace}/${service}` === serviceKey)
      .map(({ owner }) => owner);
  }

  reservePorts(serviceKey: string, ports: readonly HeldPort[]): void {
    this.#reservedPorts.set(serviceKey, ports);
    this.#refreshPorts(serviceKey);
  }

  settlePorts(serviceKey: string): void {
    if (!this.#reservedPorts.delete(serviceKey)) return;
    this.#refreshPorts(serviceKey);
  }

  /** Takes an address out of an owner's holding at once: another has the better right to it. */
  forfeit(owner: string, lost: ReadonlySet<string>): void {
    const holding = this.addresses.get(owner);
    if (holding === undefined) return;
    this.#takenIn.delete(owner);
    this.addresses.set({ ...holding, claims: holding.claims.filter(({ address }) => !lost.has(address)) });
  }

  /** How many load balancers a namespace has at a provider, without this one. */
  countOthers(provider: string, namespace: string, owner: string): number {
    const owners = this.#tenants.get(tenantOf(provider, namespace));
    return owners === undefined ? 0 : owners.size - (owners.has(owner) ? 1 : 0);
  }

  /** While a write of ours is on its way, what comes is likely that; every other change of addresses is somebody else's. */
  #noteEdit(owner: string): void {
    const latest = this.#caches.freshLoadBalancers.get(owner);
    const held = this.addresses.get(owner);
    if (latest === undefined || held === undefined || this.#reservedAddresses.has(owner)) return;
    this.#edits.note(latest, held);
  }

  /** What a LoadBalancer holds: by its own words, unless they are somebody else's. */
  #holdingOf(loadBalancer: LoadBalancer): AddressHolding {
    return this.#edits.heldInstead(loadBalancer) ?? holdingOf(loadBalancer);
  }

  /** Deleted by somebody else: what it claimed is held for the one that takes its place. */
  #keepWhenWanted(key: string, gone: LoadBalancer): void {
    const held = this.#holdingOf(gone);
    this.#edits.forget(key);
    if (this.#leaving.delete(key)) return;
    const service = this.#caches.freshServices.get(serviceKeyOf(gone));
    if (service === undefined || service.metadata.uid !== gone.spec.service.uid || isBeingDeleted(service))
      return;
    this.#departed.set(key, gone);
    this.#reservedAddresses.set(key, held);
    const forwarding = portsOf(undefined, [gone]);
    if (forwarding.length > 0) this.#reservedPorts.set(serviceKeyOf(gone), forwarding);
  }

  /** Brings the address book in line with what is known of one LoadBalancer. */
  #refreshLoadBalancer(owner: string): void {
    const latest = this.#caches.freshLoadBalancers.get(owner);
    const reserved = this.#reservedAddresses.get(owner);
    const known = this.#takenIn.get(owner);
    if (known !== undefined && known.latest === latest?.spec && known.reserved === reserved) return;
    this.#takenIn.set(owner, { latest: latest?.spec, reserved });
    if (latest === undefined && reserved === undefined) this.#takenIn.delete(owner);
    const before = this.addresses.get(owner);
    const holding = joinHoldings(latest === undefined ? undefined : this.#holdingOf(latest), reserved);
    if (before !== undefined) this.#tenants.get(tenantOf(before.provider, before.namespace))?.delete(owner);
    if (holding === undefined) this.addresses.release(owner);
    else {
      this.addresses.set(holding);
      const tenant = tenantOf(holding.provider, holding.namespace);
      const owners = this.#tenants.get(tenant) ?? new Set<string>();
      this.#tenants.set(tenant, owners.add(owner));
    }
    if (before !== undefined && freesSomething(before, holding)) this.#onFreed();
  }

  #refreshPorts(serviceKey: string): void {
    const service = this.#caches.freshServices.get(serviceKey);
    const loadBalancers = this.#caches.freshLoadBalancers.byGroup(serviceKey);
    const ports = [...portsOf(service, loadBalancers), ...(this.#reservedPorts.get(serviceKey) ?? [])];
    const before = this.ports.get(serviceKey)?.ports ?? [];
    const after = dedupePorts(ports);
    if (isSamePorts(before, after)) return;
    if (after.length === 0) this.ports.release(serviceKey);
    else this.ports.set({ owner: serviceKey, ports: after });
    if (after.length < before.length) this.#onFreed();
  }
}

/** What a LoadBalancer holds, by its own words. */
export function holdingOf(loadBalancer: LoadBalancer): AddressHolding {
  const { metadata, spec } = loadBalancer;
  return {
    owner: keyOf(loadBalancer),
    namespace: metadata.namespace ?? '',
    service: spec.service.name,
    provider: spec.provider.name,
    sharedKey: spec.sharedAddress,
    frontends: (spec.frontends ?? []).map(({ protocol, port }) => ({ protocol, port })),
    claims: spec.addresses ?? [],
  };
}

function joinHoldings(
  latest: AddressHolding | undefined,
  reserved: AddressHolding | undefined,
): AddressHolding | undefined {
  if (latest === undefined || reserved === undefined) return reserved ?? latest;
  const claims = new Map<string, AddressClaim>();
  for (const claim of [...reserved.claims, ...latest.claims]) {
    if (!claims.has(claim.address)) claims.set(claim.address, claim);
  }
  return {
    ...reserved,
    frontends: [
      ...new Map(
        [...reserved.frontends, ...latest.frontends].map((each) => [frontendKey(each), each]),
      ).values(),
    ],
    claims: [...claims.values()],
  };
}

function freesSomething(before: AddressHolding, after: AddressHolding | undefined): boolean {
  if (after === undefined) return true;
  const held = new Set(after.claims.map(({ address }) => address));
  const used = new Set(after.frontends.map(frontendKey));
  return (
    before.claims.some(({ address }) => !held.has(address)) ||
    before.frontends.some((frontend) => !used.has(frontendKey(frontend)))
  );
}

function frontendKey({ protocol, port }: AddressHolding['frontends'][number]): string {
  return `${port}/${protocol}`;
}

function portsOf(service: Service | undefined, loadBalancers: readonly LoadBalancer[]): HeldPort[] {
  const nodePorts = (service?.spec.ports ?? []).flatMap(({ protocol = 'TCP', nodePort }): HeldPort[] =>
    nodePort ? [{ kind: 'nodePort', protocol, number: nodePort }] : [],
  );
  const health = service?.spec.healthCheckNodePort;
  if (health) nodePorts.push({ kind: 'nodePort', protocol: 'TCP', number: health });
  const forwarding = loadBalancers.flatMap(({ spec }) =>
    (spec.frontends ?? []).flatMap(({ protocol, forwardingPort }): HeldPort[] =>
      forwardingPort === undefined ? [] : [{ kind: 'forwardingPort', protocol, number: forwardingPort }],
    ),
  );
  return [...nodePorts, ...forwarding];
}

function isSamePorts(a: readonly HeldPort[], b: readonly HeldPort[]): boolean {
  return (
    a.length === b.length &&
    a.every((port, index) => {
      const other = b[index];
      return port.number === other?.number && port.protocol === other.protocol && port.kind === other.kind;
    })
  );
}

function dedupePorts(ports: readonly HeldPort[]): HeldPort[] {
  return [...new Map(ports.map((port) => [`${port.kind}/${port.protocol}/${port.number}`, port])).values()];
}
