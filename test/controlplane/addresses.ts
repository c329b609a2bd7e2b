import ipaddr from 'ipaddr.js';

/** The first address of each CIDR of a comma-separated list: where the `kubernetes` Service lives. */
export function firstServiceAddresses(cidrs: string): string[] {
  return cidrs.split(',').map((cidr) => {
    const [address, prefix] = ipaddr.parseCIDR(cidr.trim());
    const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
    const bytes = family.networkAddressFromCIDR(cidr.trim()).toByteArray();
    if (prefix >= bytes.length * 8) throw new Error(`${cidr} has no room for a Service`);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
    return ipaddr.fromByteArray(bytes).toString();
  });
}

export function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}

/** `host:port` with IPv6 in brackets. */
export function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
