/** Settings of connection tracking; 0 or false leaves the kernel's own alone. */
export interface ConntrackSettings {
  /** Where the files of `/proc/sys` are: a container has its own read-only. */
  procSys: string;
  maxPerCore: number;
  min: number;
  tcpEstablishedSeconds: number;
  tcpCloseWaitSeconds: number;
  tcpBeLiberal: boolean;
  /** Of flows that nobody answered. */
  udpSeconds: number;
  /** Of flows that both sides use. */
  udpStreamSeconds: number;
}

/** A file of the kernel, and the number that it should hold: exactly, or at least. */
export interface Sysctl {
  path: string;
  value: number;
  atLeast: boolean;
}

/** More than a million entries is a waste of memory on machines of many cores (kube-proxy's `getConntrackMax`). */
const LARGEST_TABLE = 1_048_576;

/**
 * What kube-proxy would set (`pkg/proxy/conntrack/sysctls.go`), but that a larger table is never made smaller, and that TCP
 * is tracked liberally: a segment out of the window is otherwise invalid, isn't translated back, and the client that gets
 * it from an address it never heard of resets the connection (docs/adr/0010).
 */
export function decideSysctls(settings: ConntrackSettings, cores: number): Sysctl[] {
  const { maxPerCore, min, tcpEstablishedSeconds, tcpCloseWaitSeconds, tcpBeLiberal } = settings;
  const entries = maxPerCore === 0 ? 0 : Math.min(Math.max(maxPerCore * cores, min), LARGEST_TABLE);
  const wanted: [name: string, value: number, atLeast: boolean][] = [
    ['max', entries, true],
    // The module's hashsize by another name: where sysctls can be written, modules' parameters often can't.
    ['buckets', Math.ceil(entries / 4), true],
    ['tcp_timeout_established', tcpEstablishedSeconds, false],
    ['tcp_timeout_close_wait', tcpCloseWaitSeconds, false],
    ['tcp_be_liberal', tcpBeLiberal ? 1 : 0, false],
    ['udp_timeout', settings.udpSeconds, false],
    ['udp_timeout_stream', settings.udpStreamSeconds, false],
  ];
  return wanted
    .filter(([, value]) => value !== 0)
    .map(([name, value, atLeast]) => {
      return { path: `${settings.procSys}/net/netfilter/nf_conntrack_${name}`, value, atLeast };
    });
}
