import type { Protocol } from '../../kube/objects.ts';
import { IntervalSet } from './interval-set.ts';
import type { PortRange } from './port-ranges.ts';

/** Node ports are the API server's to give; forwarding ports are ours. */
export type PortKind = 'nodePort' | 'forwardingPort';

/** One number that an owner holds. */
export interface HeldPort {
  kind: PortKind;
  protocol: Protocol;
  number: number;
}

/** What one owner holds. */
export interface PortHolding {
  /**
   * Shown in messages. Of node ports, the Service's key `namespace/name` (its health check node port included: it comes
   * from the same range); of forwarding ports, the LoadBalancer's.
   */
  owner: string;
  ports: readonly HeldPort[];
}

const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

/**
 * Every node port and forwarding port of the cluster, by number and by owner. An index like the AddressBook: built in
 * any order it is the same, and it never refuses what exists.
 *
 * Kubernetes gives a node port number to one Service, whatever the protocol, so a node port is taken for all three. A
 * forwarding port is taken for its protocol.
 */
export class PortBook {
  readonly #holdings = new Map<string, PortHolding>();
  readonly #holders = new Map<string, Set<string>>();
  readonly #used: Record<PortKind, Record<Protocol | 'any', IntervalSet>> = {
    nodePort: emptySets(),
    forwardingPort: emptySets(),
  };

  /** Takes in all that an owner holds, in the place of what it held before. */
  set(holding: PortHolding): void {
    this.release(holding.owner);
    this.#holdings.set(holding.owner, holding);
    for (const port of holding.ports) {
      for (const protocol of protocolsTaken(port)) {
        const key = slot(port.kind, protocol, port.number);
        const holders = this.#holders.get(key) ?? new Set<string>();
        this.#holders.set(key, holders.add(holding.owner));
        this.#used[port.kind][protocol].add(BigInt(port.number));
        this.#used[port.kind].any.add(BigInt(port.number));
      }
    }
  }

  /** Lets go of all that an owner holds. */
  release(owner: string): readonly HeldPort[] {
    const holding = this.#holdings.get(owner);
    if (holding === undefined) return [];
    this.#holdings.delete(owner);
    for (const port of holding.ports) {
      for (const protocol of protocolsTaken(port)) {
        const key = slot(port.kind, protocol, port.number);
        const holders = this.#holders.get(key);
        holders?.delete(owner);
        if (holders?.size === 0) {
          this.#holders.delete(key);
          this.#used[port.kind][protocol].delete(BigInt(port.number));
        }
      }
      const heldFor = (protocol: Protocol) => this.#holders.has(slot(port.kind, protocol, port.number));
      if (!PROTOCOLS.some(heldFor)) this.#used[port.kind].any.delete(BigInt(port.number));
    }
    return holding.ports;
  }

  get(owner: string): PortHolding | undefined {
    return this.#holdings.get(owner);
  }

  get owners(): string[] {
    return [...this.#holdings.keys()];
  }

  /** Owners of a number, sorted; more than one only if the objects were edited past us. */
  holdersOf(kind: PortKind, protocol: Protocol, number: number): string[] {
    return [...(this.#holders.get(slot(kind, protocol, number)) ?? [])].sort();
  }

  /** The lowest number of a range, from `from` on, that is free for every one of these protocols. */
  firstFree(
    kind: PortKind,
    protocols: readonly Protocol[],
    range: PortRange,
    from = range.first,
  ): number | undefined {
    let candidate = BigInt(Math.max(from, range.first));
    while (candidate <= BigInt(range.last)) {
      const start: bigint = candidate;
      for (const protocol of protocols) candidate = this.#used[kind][protocol].firstMissing(candidate);
      if (candidate === start) return Number(candidate);
    }
    return undefined;
  }

  /** How many numbers of ranges that don't overlap are held, for one protocol, or for any when none is named. */
  countUsed(kind: PortKind, ranges: readonly PortRange[], protocol?: Protocol): number {
    const used = this.#used[kind][protocol ?? 'any'];
    return ranges.reduce(
      (sum, { first, last }) => sum + Number(used.countBetween(BigInt(first), BigInt(last))),
      0,
    );
  }
}

function emptySets(): Record<Protocol | 'any', IntervalSet> {
  return {
    TCP: new IntervalSet(),
    UDP: new IntervalSet(),
    SCTP: new IntervalSet(),
    any: new IntervalSet(),
  };
}

function protocolsTaken(port: HeldPort): readonly Protocol[] {
  return port.kind === 'nodePort' ? PROTOCOLS : [port.protocol];
}

function slot(kind: PortKind, protocol: Protocol, number: number): string {
  return `${kind}/${protocol}/${number}`;
}
