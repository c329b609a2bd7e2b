import { BlockList, isIPv6 } from 'node:net';

/** Ranges of addresses, of both families, that can be asked. Node's BlockList alone takes IPv4 for a part of `::/0`. */
export class AddressRanges {
  readonly #byFamily = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly #sizes = { ipv4: 0, ipv6: 0 };

  /** `cidrs` are well-formed. */
  constructor(cidrs: Iterable<string> = []) {
    for (const cidr of cidrs) this.add(cidr);
  }

  add(cidr: string): void {
    const [network = '', length] = cidr.split('/');
    const type = typeOf(network);
    this.#byFamily[type].addSubnet(network, Number(length), type);
    this.#sizes[type]++;
  }

  contains(address: string): boolean {
    const type = typeOf(address);
    return this.#byFamily[type].check(address, type);
  }

  /** Whether there is any range of the address' family. */
  hasFamilyOf(address: string): boolean {
    return this.#sizes[typeOf(address)] > 0;
  }
}

function typeOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
