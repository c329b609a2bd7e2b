/** Settings of connection tracking; 0 or false leaves the kernel's own alone. */
export interface ConntrackSettings {
  maxPerCore: number;
  min: number;
  tcpEstablishedSeconds: number;
  tcpCloseWaitSeconds: number;
  tcpBeLiberal: boolean;
}

/** A file of the kernel, and the number that it should hold: exactly, or at least. */
export interface Sysctl {
  path: string;
  value: number;
  atLeast: boolean;
}

/** More than a million entries is a waste of memory on machines of many cores (kube-proxy's `getConntrackMax`). */
const LARGEST_TABLE = 1_048_576;
const NETFILTER = '/proc/sys/net/netfilter';
const HASH_SIZE = '/sys/module/nf_conntrack/parameters/hashsize';

/**
 * What kube-proxy would set (`pkg/proxy/conntrack/sysctls.go`), but that a larger table is never made smaller, and that TCP
 * is tracked liberally: a segment out of the window is otherwise invalid, isn't translated back, and the client that gets
 * it from an address it never heard of resets the connection (docs/adr/0010).
 */
export function decideSysctls(settings: ConntrackSettings, cores: number): Sysctl[] {
  const { maxPerCore, min, tcpEstablishedSeconds, tcpCloseWaitSeconds, tcpBeLiberal } = settings;
  const entries = maxPerCore === 0 ? 0 : Math.min(Math.max(maxPerCore * cores, min), LARGEST_TABLE);
  const exactly = (name: string, value: number): Sysctl[] =>
    value === 0 ? [] : [{ path: `${NETFILTER}/${name}`, value, atLeast: false }];
  return [
    ...(entries === 0
      ? []
      : [
          { path: `${NETFILTER}/nf_conntrack_max`, value: entries, atLeast: true },
          { path: HASH_SIZE, value: entries / 4, atLeast: true },
        ]),
    ...exactly('nf_conntrack_tcp_timeout_established', tcpEstablishedSeconds),
    ...exactly('nf_conntrack_tcp_timeout_close_wait', tcpCloseWaitSeconds),
    ...exactly('nf_conntrack_tcp_be_liberal', tcpBeLiberal ? 1 : 0),
  ];
}
