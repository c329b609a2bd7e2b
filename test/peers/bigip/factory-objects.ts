import type { Configuration } from './configuration.ts';

/** What every BIG-IP has in /Common, as far as declarations name it. */
const IN_COMMON: Readonly<Record<string, readonly string[]>> = {
  'ltm/profile/tcp': [
    'tcp',
    'tcp-lan-optimized',
    'tcp-wan-optimized',
    'tcp-mobile-optimized',
    'tcp-legacy',
    'f5-tcp-progressive',
    'f5-tcp-lan',
    'f5-tcp-wan',
    'f5-tcp-mobile',
  ],
  'ltm/profile/udp': ['udp', 'udp_decrement_ttl', 'udp_gtm_dns'],
  'ltm/profile/sctp': ['sctp'],
  'ltm/profile/fastl4': ['fastL4', 'apm-forwarding-fastL4', 'full-acceleration', 'security-fastL4'],
  'ltm/profile/http': ['http', 'http-explicit', 'http-transparent'],
  'ltm/profile/http2': ['http2'],
  'ltm/profile/one-connect': ['oneconnect'],
  'ltm/profile/ipother': ['ipother'],
  'ltm/profile/client-ssl': ['clientssl', 'clientssl-secure', 'clientssl-insecure-compatible'],
  'ltm/profile/server-ssl': ['serverssl', 'serverssl-insecure-compatible'],
  'ltm/persistence/source-addr': ['source_addr'],
  'ltm/persistence/dest-addr': ['dest_addr'],
  'ltm/persistence/cookie': ['cookie'],
  'ltm/persistence/msrdp': ['msrdp'],
  'ltm/persistence/ssl': ['ssl'],
  'ltm/monitor/tcp': ['tcp'],
  'ltm/monitor/tcp-half-open': ['tcp_half_open'],
  'ltm/monitor/http': ['http', 'http_head_f5'],
  'ltm/monitor/https': ['https', 'https_443', 'https_head_f5'],
  'ltm/monitor/http2': ['http2'],
  'ltm/monitor/udp': ['udp'],
  'ltm/monitor/icmp': ['icmp'],
  'ltm/monitor/gateway-icmp': ['gateway_icmp'],
  'ltm/rule': ['_sys_https_redirect', '_sys_APM_ExchangeSupport_main'],
  'cm/traffic-group': ['traffic-group-1', 'traffic-group-local-only'],
  'net/route-domain': ['0'],
};

export function addFactoryObjects(configuration: Configuration, vlans: readonly string[]): void {
  configuration.put('auth/partition', '/Common', { defaultRouteDomain: 0 });
  configuration.put('sys/folder', '/Common', { trafficGroup: '/Common/traffic-group-1' });
  for (const [kind, names] of Object.entries(IN_COMMON)) {
    for (const name of names) configuration.put(kind, `/Common/${name}`, {});
  }
  vlans.forEach((path, index) => {
    configuration.put('net/vlan', path, { tag: 100 + index, mtu: 1_500 });
  });
}
