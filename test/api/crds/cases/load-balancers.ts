import { LOAD_BALANCERS } from '../../../../crds/resources.ts';
import type { CaseTable } from './case.ts';
import { selectorCases } from './selectors.ts';

const CANONICAL = 'write an address in its canonical form: 192.0.2.10, 2001:db8::10';
const FAMILY = 'family must be that of the address: IPv4 or IPv6';
const UNUSABLE =
  'no Service can be reached at a loopback, link-local, multicast, broadcast or unspecified address';

function spec(more: object = {}): object {
  return {
    service: { name: 'web', uid: '6d1c9f0e-0000-4000-8000-000000000001' },
    provider: { name: 'lab', type: 'announce' },
    scheme: 'Public',
    targets: { mode: 'NodePort', drainSeconds: 30 },
    externalTrafficPolicy: 'Cluster',
    ...more,
  };
}

function addresses(...claims: [address: string, family: string][]): object {
  return spec({ addresses: claims.map(([address, family]) => ({ address, family, pool: 'lab' })) });
}

function frontends(...entries: object[]): object {
  return spec({ frontends: entries });
}

const metadata = { name: 'web.lab' };

export const loadBalancers: CaseTable = {
  type: LOAD_BALANCERS,
  cases: [
    { name: 'what was decided at least', metadata, spec: spec() },
    {
      name: 'claims of both families',
      metadata,
      spec: addresses(['192.0.2.10', 'IPv4'], ['2001:db8::10', 'IPv6']),
    },
    {
      name: 'what annotations say to AWS',
      metadata,
      spec: spec({ aws: { name: 'shop-web', healthCheck: { port: '8080' } }, ipFamilies: ['IPv4'] }),
    },
    {
      name: 'TLS at HAProxy with certificates of two Secrets',
      metadata,
      spec: spec({ haproxy: { tls: { secretNames: ['web-tls', 'other-tls'], ports: ['https'] } } }),
    },
    {
      name: 'TLS at HAProxy without a certificate',
      metadata,
      spec: spec({ haproxy: { tls: { secretNames: [] } } }),
      refused: 'should have at least 1 items',
    },
    {
      name: 'TLS at AWS with a certificate of the provider',
      metadata,
      spec: spec({ aws: { tls: { ports: ['443'], backendProtocol: 'TLS' } } }),
    },
    {
      name: 'a name at AWS with a dot',
      metadata,
      spec: spec({ aws: { name: 'shop.web' } }),
      refused: "a load balancer's name has letters, digits and dashes, and doesn't begin with internal-",
    },
    {
      name: 'a health check port by name',
      metadata,
      spec: spec({ aws: { healthCheck: { port: 'http' } } }),
      refused: 'a health check port is a number, or traffic-port',
    },
    { name: 'an address that is none', metadata, spec: addresses(['ten', 'IPv4']), refused: CANONICAL },
    {
      name: 'an address in another form',
      metadata,
      spec: addresses(['2001:DB8:0:0::10', 'IPv6']),
      refused: CANONICAL,
    },
    { name: 'a CIDR as an address', metadata, spec: addresses(['192.0.2.0/28', 'IPv4']), refused: CANONICAL },
    { name: 'IPv4 called IPv6', metadata, spec: addresses(['192.0.2.10', 'IPv6']), refused: FAMILY },
    { name: 'IPv6 called IPv4', metadata, spec: addresses(['2001:db8::10', 'IPv4']), refused: FAMILY },
    { name: 'a loopback address', metadata, spec: addresses(['127.0.0.1', 'IPv4']), refused: UNUSABLE },
    { name: 'a link-local address', metadata, spec: addresses(['fe80::1', 'IPv6']), refused: UNUSABLE },
    { name: 'a multicast address', metadata, spec: addresses(['224.0.0.1', 'IPv4']), refused: UNUSABLE },
    { name: 'the unspecified address', metadata, spec: addresses(['::', 'IPv6']), refused: UNUSABLE },
    {
      name: 'an address twice',
      metadata,
      spec: addresses(['192.0.2.10', 'IPv4'], ['192.0.2.10', 'IPv4']),
      refused: 'spec.addresses[1]: Duplicate value: {"address":"192.0.2.10"}',
    },
    {
      name: 'nine addresses',
      metadata,
      spec: addresses(...Array.from({ length: 9 }, (_, n): [string, string] => [`192.0.2.${n}`, 'IPv4'])),
      refused: 'must have at most 8 items',
    },
    {
      name: 'one port for TCP and UDP, with the same node port',
      metadata,
      spec: frontends(
        { protocol: 'TCP', port: 53, nodePort: 31053 },
        { protocol: 'UDP', port: 53, nodePort: 31053 },
      ),
    },
    {
      name: 'a protocol and port twice',
      metadata,
      spec: frontends({ name: 'a', protocol: 'TCP', port: 80 }, { name: 'b', protocol: 'TCP', port: 80 }),
      refused: 'spec.frontends[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
    },
    {
      name: 'a node port twice',
      metadata,
      spec: frontends(
        { protocol: 'TCP', port: 80, nodePort: 31080 },
        { protocol: 'TCP', port: 81, nodePort: 31080 },
      ),
      refused: "two frontends of one protocol can't share a nodePort: claim another",
    },
    {
      name: 'a forwarding port twice',
      metadata,
      spec: frontends(
        { protocol: 'UDP', port: 80, forwardingPort: 20080 },
        { protocol: 'UDP', port: 81, forwardingPort: 20080 },
      ),
      refused: "two frontends of one protocol can't share a forwardingPort: claim another",
    },
    {
      name: 'port 0',
      metadata,
      spec: frontends({ protocol: 'TCP', port: 0 }),
      refused: 'should be greater than or equal to 1',
    },
    {
      name: '256 frontends with ports of both kinds',
      metadata,
      spec: frontends(
        ...Array.from({ length: 256 }, (_, n) => ({
          protocol: 'TCP',
          port: n + 1,
          nodePort: 30000 + n,
          forwardingPort: 20000 + n,
        })),
      ),
    },
    {
      name: '257 frontends',
      metadata,
      spec: frontends(...Array.from({ length: 257 }, (_, n) => ({ protocol: 'TCP', port: n + 1 }))),
      refused: 'must have at most 256 items',
    },
    {
      name: 'another name',
      metadata: { name: 'web' },
      spec: spec(),
      refused: 'a LoadBalancer is named <service>.<provider>',
    },
    { name: 'settings of announce', metadata, spec: spec({ announce: { interfaces: ['eth1'] } }) },
    {
      name: 'an interface with a blank',
      metadata,
      spec: spec({ announce: { interfaces: ['eth 1'] } }),
      refused: "an interface's name has no blank, slash or colon",
    },
    {
      name: 'an interface twice',
      metadata,
      spec: spec({ announce: { interfaces: ['eth1', 'eth1'] } }),
      refused: 'name each interface once: one is there twice',
    },
    {
      name: 'an unknown type of provider',
      metadata,
      spec: spec({ provider: { name: 'lab', type: 'pigeon' } }),
      refused: 'Unsupported value: "pigeon"',
    },
    {
      name: 'a change of claims and policy',
      metadata,
      spec: addresses(['192.0.2.10', 'IPv4']),
      update: { ...addresses(['192.0.2.11', 'IPv4']), externalTrafficPolicy: 'Local' },
    },
    {
      name: 'another Service of the same name',
      metadata,
      spec: spec(),
      update: spec({ service: { name: 'web', uid: '6d1c9f0e-0000-4000-8000-000000000002' } }),
      refused: "the Service of a LoadBalancer can't be changed: the operator makes another LoadBalancer",
    },
    {
      name: 'another provider',
      metadata,
      spec: spec(),
      update: spec({ provider: { name: 'office', type: 'announce' } }),
      refused: "the provider of a LoadBalancer can't be changed: the operator makes another LoadBalancer",
    },
    ...selectorCases('a nodeSelector of targets', (nodeSelector) =>
      spec({ targets: { mode: 'NodePort', drainSeconds: 30, nodeSelector } }),
    ).map((row) => ({ ...row, metadata })),
    ...selectorCases('a nodeSelector of announce', (nodeSelector) =>
      spec({ announce: { nodeSelector } }),
    ).map((row) => ({ ...row, metadata })),
  ],
};
