import { createHash } from 'node:crypto';
import { findPrograms } from '../../controlplane/binaries.ts';
import { KUBERNETES_VERSION } from '../../controlplane/build-programs.ts';
import { type BenchNode, CLUSTER_CIDR } from './bench-node.ts';
import { ENDPOINT_PORT, NAMESPACE, PORT_NAME } from './service-load.ts';

const AGENT = new URL('../../../agent/main.ts', import.meta.url).pathname;

export const PROXY_NAMES = ['fairlead', 'nftables', 'iptables'] as const;
export type ProxyName = (typeof PROXY_NAMES)[number];

/** A service proxy that can be measured. */
export interface ServiceProxy {
  name: ProxyName;
  node: BenchNode;
  /** As tables call it. */
  title: string;
  command: readonly string[];
  /** Answers about its health, at this port of the node. */
  healthPort: number;
  /** Between two changes that are measured, ms: so that it rests, and no minimum interval of its own is in the way. */
  restMs: number;
  /** What a line of `nft monitor` says about endpoints: `token` of each. */
  tokens(line: string): Iterable<string>;
  /** What shows that this endpoint of this Service is in the kernel. */
  token(service: string, address: string): string;
  /** Services in the kernel that have endpoints, all ports counted. */
  countServices(): number;
}

export async function createProxy(
  name: ProxyName,
  node: BenchNode,
  kubeconfig: string,
): Promise<ServiceProxy> {
  switch (name) {
    case 'fairlead':
      return {
        name,
        node,
        title: 'Fairlead',
        command: [
          process.execPath,
          ...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
          AGENT,
          ...[
            '--serve',
            'All',
            '--node-name',
            node.name,
            '--kubeconfig',
            kubeconfig,
            '--cluster-cidr',
            CLUSTER_CIDR,
          ],
          ...['--serve', 'All'],
        ],
        healthPort: 10256,
        restMs: 200,
        ...endpointsInMaps,
        countServices: () => count(node.run('nft', 'list', 'map', 'ip', 'fairlead', 'services'), /: goto /g),
      };
    case 'nftables':
      return {
        ...(await kubeProxy(name, node, kubeconfig)),
        ...endpointsInMaps,
        countServices: () =>
          count(node.run('nft', 'list', 'map', 'ip', 'kube-proxy', 'service-ips'), /: goto /g),
      };
    case 'iptables':
      return {
        ...(await kubeProxy(name, node, kubeconfig)),
        tokens: (line) => line.match(/KUBE-SEP-[A-Z2-7]{16}/g) ?? [],
        token: endpointChain,
        countServices: () => count(node.run('iptables-save', '-t', 'nat'), /^:KUBE-SVC-/gm),
      };
  }
}

/** As an element or a map within a rule: `10.244.0.9 . 8080`. */
const endpointsInMaps = {
  tokens: (line: string) => line.match(/\d+\.\d+\.\d+\.\d+ \. 8080\b/g) ?? [],
  token: (_: string, address: string) => `${address} . ${ENDPOINT_PORT}`,
};

async function kubeProxy(mode: 'nftables' | 'iptables', node: BenchNode, kubeconfig: string) {
  const programs = await findPrograms('kube-proxy');
  return {
    name: mode,
    node,
    title: `kube-proxy ${KUBERNETES_VERSION}, ${mode}`,
    command: [
      programs['kube-proxy'],
      ...['--proxy-mode', mode, '--hostname-override', node.name, '--kubeconfig', kubeconfig],
      ...['--cluster-cidr', CLUSTER_CIDR],
      // These sysctls belong to the machine, not to a network namespace.
      ...['--conntrack-max-per-core', '0', '--conntrack-min', '0'],
      ...['--conntrack-tcp-timeout-established', '0', '--conntrack-tcp-timeout-close-wait', '0'],
    ],
    healthPort: 10256,
    // Its minimum sync period is a second.
    restMs: 1_300,
  };
}

/** pkg/proxy/iptables/proxier.go, servicePortEndpointChainName. */
function endpointChain(service: string, address: string): string {
  const text = `${NAMESPACE}/${service}:${PORT_NAME}tcp${address}:${ENDPOINT_PORT}`;
  return `KUBE-SEP-${base32(createHash('sha256').update(text).digest()).slice(0, 16)}`;
}

/** RFC 4648, without padding. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group, 2)]).join('');
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
