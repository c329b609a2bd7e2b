import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { KubeObject, Service } from '../../../kube/objects.ts';
import type { OrderedEvent } from './ordered-events.ts';

/** What a Service has from the moment it was first seen with it: it must never have another. */
interface Belongings {
  name: string;
  addresses?: string;
  forwardingPorts?: string;
  nodePorts?: string;
}

/**
 * Replays what happened and finds every moment at which a rule about claims was broken: no address or forwarding port
 * claimed twice, none moved while its Service lives, none shown before it was claimed.
 */
export class ClaimRules {
  readonly violations: string[] = [];
  /** LoadBalancers that claim an address, by address. */
  readonly #addresses = new Map<string, Map<string, LoadBalancer>>();
  readonly #forwardingPorts = new Map<string, Map<string, LoadBalancer>>();
  readonly #loadBalancers = new Map<string, LoadBalancer>();
  readonly #belongings = new Map<string, Belongings>();
  events = 0;
  mostClaimed = 0;

  replay(events: readonly OrderedEvent[]): void {
    for (const event of events) {
      this.events++;
      if (isLoadBalancer(event.object)) this.#takeLoadBalancer(event, event.object);
      else if (isService(event.object)) this.#takeService(event, event.object);
    }
  }

  #takeLoadBalancer({ type, revision }: OrderedEvent, loadBalancer: LoadBalancer): void {
    const key = keyOf(loadBalancer);
    const before = this.#loadBalancers.get(key);
    for (const address of addressesOf(before)) this.#addresses.get(address)?.delete(key);
    for (const port of portsOf(before)) this.#forwardingPorts.get(port)?.delete(key);
    this.#loadBalancers.delete(key);
    if (type === 'DELETED') return;

    this.#loadBalancers.set(key, loadBalancer);
    this.mostClaimed = Math.max(this.mostClaimed, this.#loadBalancers.size);
    for (const address of addressesOf(loadBalancer)) {
      const holders = this.#addresses.get(address) ?? new Map<string, LoadBalancer>();
      this.#addresses.set(address, holders.set(key, loadBalancer));
      for (const other of holders.values()) {
        if (other === loadBalancer || mayShare(loadBalancer, other)) continue;
        this.#broken(revision, `${address} claimed by ${key} and ${keyOf(other)}`);
      }
    }
    for (const port of portsOf(loadBalancer)) {
      const holders = this.#forwardingPorts.get(port) ?? new Map<string, LoadBalancer>();
      this.#forwardingPorts.set(port, holders.set(key, loadBalancer));
      if (holders.size > 1) this.#broken(revision, `${port} claimed by ${[...holders.keys()].join(' and ')}`);
    }
    const uid = loadBalancer.spec.service.uid;
    this.#mustStay(revision, uid, key, 'addresses', addressesOf(loadBalancer).sort().join());
    this.#mustStay(revision, uid, key, 'forwardingPorts', portsOf(loadBalancer).join());
    this.#mustStay(revision, uid, key, 'nodePorts', nodePortsOf(loadBalancer));
  }

  #takeService({ type, revision }: OrderedEvent, service: Service): void {
    const { uid = '', namespace, name } = service.metadata;
    if (type === 'DELETED') {
      this.#belongings.delete(uid);
      return;
    }
    const shown = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
    if (shown.length === 0) return;
    this.#mustStay(revision, uid, `${namespace}/${name}`, 'addresses', [...shown].sort().join());
    // A Service on its way out may show an address that is free again already: its finalizer goes last.
    if (service.metadata.deletionTimestamp !== undefined) return;
    for (const address of shown) {
      const claimed = [...(this.#addresses.get(address)?.values() ?? [])];
      if (!claimed.some((each) => each.spec.service.uid === uid)) {
        this.#broken(revision, `${namespace}/${name} shows ${address}, which no LoadBalancer of it claims`);
      }
    }
  }

  #mustStay(revision: number, uid: string, name: string, what: keyof Belongings, value: string): void {
    if (value === '') return;
    const belongings = this.#belongings.get(uid) ?? { name };
    this.#belongings.set(uid, belongings);
    const before = belongings[what];
    if (before !== undefined && before !== value) {
      this.#broken(revision, `${what} of ${name} moved from ${before} to ${value}`);
    }
    belongings[what] = value;
  }

  #broken(revision: number, what: string): void {
    this.violations.push(`at revision ${revision}: ${what}`);
  }
}

function mayShare(a: LoadBalancer, b: LoadBalancer): boolean {
  const clash = (a.spec.frontends ?? []).some((mine) =>
    (b.spec.frontends ?? []).some(({ protocol, port }) => mine.protocol === protocol && mine.port === port),
  );
  return a.spec.sharedAddress !== undefined && a.spec.sharedAddress === b.spec.sharedAddress && !clash;
}

function addressesOf(loadBalancer: LoadBalancer | undefined): string[] {
  return (loadBalancer?.spec.addresses ?? []).map(({ address }) => address);
}

function portsOf(loadBalancer: LoadBalancer | undefined): string[] {
  return (loadBalancer?.spec.frontends ?? []).flatMap(({ protocol, forwardingPort }) =>
    forwardingPort === undefined ? [] : [`${protocol} ${forwardingPort}`],
  );
}

function nodePortsOf(loadBalancer: LoadBalancer): string {
  return (loadBalancer.spec.frontends ?? []).flatMap(({ nodePort }) => nodePort ?? []).join();
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function isLoadBalancer(object: KubeObject): object is LoadBalancer {
  return object.kind === 'LoadBalancer';
}

function isService(object: KubeObject): object is Service {
  return object.kind === 'Service';
}
