import { LOAD_BALANCER_PROVIDERS } from '../../../../crds/resources.ts';
import type { CaseTable } from './case.ts';
import { selectorCases } from './selectors.ts';

const NAME =
  'the name stands in loadBalancerClass and in names of objects: use at most 63 lower case letters';
const INTERFACE = "an interface's name has no blank, slash or colon: see `ip link` on the node";

/** What a BIG-IP must have. */
const BIGIP = { devices: ['192.0.2.5'], credentials: { secretName: 'f5' } };

function interfaces(...names: string[]): unknown {
  return { announce: { interfaces: names } };
}

function webhook(more: object): unknown {
  return { webhook: { url: 'https://lb.example.com/fairlead', ...more } };
}

export const loadBalancerProviders: CaseTable = {
  type: LOAD_BALANCER_PROVIDERS,
  cases: [
    { name: 'announce with nothing more', spec: { announce: {} } },
    { name: 'interfaces', spec: interfaces('eth0', 'bond0.100', 'enp3s0f1np1') },
    {
      name: 'everything set',
      spec: {
        default: true,
        scheme: 'Internal',
        targets: { mode: 'Pod', drainSeconds: 0, nodeSelector: { matchLabels: { edge: 'yes' } } },
        tenants: { namespaceSelector: {}, maxLoadBalancersPerNamespace: 10 },
        drift: { policy: 'Report', intervalSeconds: 30 },
        deletion: 'Retain',
        announce: { nodeSelector: {} },
      },
    },
    { name: 'no provider', spec: { default: true }, refused: 'set exactly one of: announce' },
    { name: 'an unknown provider', spec: { pigeon: {} }, refused: 'set exactly one of: announce' },
    { name: 'an interface with a slash', spec: interfaces('eth0/1'), refused: INTERFACE },
    { name: 'an interface with a blank', spec: interfaces('eth 0'), refused: INTERFACE },
    { name: 'an interface that is ..', spec: interfaces('..'), refused: INTERFACE },
    {
      name: 'an interface twice',
      spec: interfaces('eth0', 'eth1', 'eth0'),
      refused: 'name each interface once: one is there twice',
    },
    { name: 'no interface in interfaces', spec: interfaces(), refused: 'should have at least 1 items' },
    { name: 'a name too long for Linux', spec: interfaces('a-very-long-name'), refused: 'Too long' },
    {
      name: 'draining for longer than an hour',
      spec: { announce: {}, targets: { drainSeconds: 3601 } },
      refused: 'should be less than or equal to 3600',
    },
    {
      name: 'looking for drift every second',
      spec: { announce: {}, drift: { intervalSeconds: 1 } },
      refused: 'should be greater than or equal to 30',
    },
    {
      name: 'a scheme of its own',
      spec: { announce: {}, scheme: 'Private' },
      refused: 'Unsupported value: "Private": supported values: "Public", "Internal"',
    },
    { name: 'a name with a dot', metadata: { name: 'lab.one' }, spec: { announce: {} }, refused: NAME },
    { name: 'a name of 64', metadata: { name: 'x'.repeat(64) }, spec: { announce: {} }, refused: NAME },
    { name: 'a name of 63', metadata: { name: 'x'.repeat(63) }, spec: { announce: {} } },
    {
      name: 'a change of its settings',
      spec: { announce: {} },
      update: { default: true, announce: { interfaces: ['eth0'] } },
    },
    {
      name: 'a change that takes the provider away',
      spec: { announce: {} },
      update: { default: true },
      refused:
        "which of announce, aws, haproxy, bigip, webhook is set can't be changed: make another LoadBalancerProvider",
    },
    {
      name: 'a change of the provider',
      spec: { announce: {} },
      update: { aws: { region: 'eu-central-1' } },
      refused:
        "which of announce, aws, haproxy, bigip, webhook is set can't be changed: make another LoadBalancerProvider",
    },
    { name: 'one of AWS', spec: { aws: { region: 'us-gov-east-1', healthCheck: { port: 'traffic-port' } } } },
    { name: 'one of AWS without a region', spec: { aws: {} }, refused: 'spec.aws.region: Required value' },
    {
      name: 'a region that is a zone',
      spec: { aws: { region: 'eu-central-1a' } },
      refused: 'a region looks like eu-west-1',
    },
    {
      name: 'one of AWS by private endpoints',
      spec: {
        aws: {
          region: 'eu-central-1',
          endpoints: {
            elbv2: 'https://vpce-1.elasticloadbalancing.eu-central-1.vpce.amazonaws.com',
            ec2: 'https://vpce-2.ec2.eu-central-1.vpce.amazonaws.com',
            sts: 'https://vpce-3.sts.eu-central-1.vpce.amazonaws.com',
          },
        },
      },
    },
    {
      name: 'an endpoint of AWS for all',
      spec: { aws: { region: 'eu-central-1', endpoint: 'http://127.0.0.1:5000' } },
    },
    ...['ec2.eu-central-1.amazonaws.com', 'ftp://ec2.eu-central-1.amazonaws.com', 'https://'].map((url) => ({
      name: `${url} as the endpoint of EC2`,
      spec: { aws: { region: 'eu-central-1', endpoints: { ec2: url } } },
      refused: 'an endpoint is a URL that begins with https://, or http://',
    })),
    {
      name: 'a host as the endpoint of AWS',
      spec: { aws: { region: 'eu-central-1', endpoint: 'ec2.eu-central-1.amazonaws.com' } },
      refused: 'an endpoint is a URL that begins with https://, or http://',
    },
    {
      name: 'a health check port by name',
      spec: { aws: { region: 'eu-central-1', healthCheck: { port: 'http' } } },
      refused: 'a health check port is a number, or traffic-port',
    },
    { name: 'one of HAProxy with nothing more', spec: { haproxy: {} } },
    {
      name: 'one of HAProxy with everything set',
      spec: {
        haproxy: {
          interface: 'eth0',
          balance: 'leastconn',
          hardStopAfterSeconds: 604_800,
          timeouts: { connectSeconds: 1, clientSeconds: 60, serverSeconds: 60 },
          limits: { connections: 10_000, connectionsPerFrontend: 1000, connectionsPerTarget: 100 },
          healthCheck: { port: 10256, intervalSeconds: 1, healthyThreshold: 1, unhealthyThreshold: 3 },
          proxyProtocol: 'V2',
        },
      },
    },
    {
      name: 'old processes of HAProxy for longer than it can count',
      spec: { haproxy: { hardStopAfterSeconds: 604_801 } },
      refused: 'less than or equal to 604800',
    },
    {
      name: 'VRRP with no interface',
      spec: { haproxy: { vrrp: { virtualRouterID: 51 } } },
      refused: 'vrrp needs the interface that addresses are added to: set interface too',
    },
    {
      name: 'an interface of an edge with a slash',
      spec: { haproxy: { interface: 'eth0/1' } },
      refused: "an interface's name has no blank, slash or colon: see `ip link` on the edge",
    },
    {
      name: 'a balance that HAProxy has no targets at run time for',
      spec: { haproxy: { balance: 'static-rr' } },
      refused: 'Unsupported value: "static-rr"',
    },
    { name: 'a webhook with nothing but its address', spec: webhook({}) },
    {
      name: 'a webhook with everything set',
      spec: webhook({
        parameters: { addresses: '192.0.2.10', 'any key': '' },
        timeoutSeconds: 1,
        applyTimeoutSeconds: 300,
        retries: 0,
        tls: { caConfigMapName: 'ca', serverName: 'lb' },
        credentials: { secretName: 'token' },
        allowHTTP: true,
      }),
    },
    { name: 'a webhook beside the operator over HTTP', spec: webhook({ url: 'http://localhost:8080/a' }) },
    {
      name: 'a webhook beside the operator over HTTP, with a token',
      spec: webhook({ url: 'http://127.0.0.1:8080', credentials: { secretName: 'token' } }),
    },
    { name: 'the same by IPv6', spec: webhook({ url: 'http://[::1]:8080' }) },
    {
      name: 'a webhook elsewhere over HTTP, by wish',
      spec: webhook({ url: 'http://lb.one', allowHTTP: true }),
    },
    {
      name: 'a webhook elsewhere over HTTP',
      spec: webhook({ url: 'http://lb.example.com' }),
      refused: 'http:// is for servers beside the operator (localhost): use https://, or set allowHTTP',
    },
    {
      name: 'a webhook whose name only begins as that of this machine',
      spec: webhook({ url: 'http://localhost.example.com' }),
      refused: 'http:// is for servers beside the operator',
    },
    {
      name: 'a token that everybody on the way could read',
      spec: webhook({ url: 'http://lb.one', allowHTTP: true, credentials: { secretName: 'token' } }),
      refused: 'credentials could be read on the way: use https://',
    },
    ...['lb.example.com', 'ftp://lb.example.com', 'https://', 'https:lb', '/v1'].map((url) => ({
      name: `a webhook at ${url}`,
      spec: webhook({ url }),
      refused: 'the address is a URL that begins with https://',
    })),
    ...['https://me:secret@lb.one', 'https://lb.one/?a=b', 'https://lb.one/#a'].map((url) => ({
      name: `a webhook at ${url}`,
      spec: webhook({ url }),
      refused: 'the address has no user, no query and no fragment',
    })),
    {
      name: 'authorities from two places',
      spec: webhook({ tls: { caSecretName: 'a', caConfigMapName: 'b' } }),
      refused: 'the authorities come from one place: set caSecretName or caConfigMapName',
    },
    {
      name: 'a webhook that may take its time',
      spec: webhook({ timeoutSeconds: 61 }),
      refused: 'should be less than or equal to 60',
    },
    { name: 'one of BIG-IP with nothing more', spec: { bigip: BIGIP } },
    {
      name: 'one of BIG-IP with everything set',
      spec: {
        bigip: {
          devices: ['bigip-1.example.org', '[2001:db8::5]:8443'],
          credentials: { secretName: 'f5', loginProvider: 'ldap' },
          tls: { fingerprints: [`${'AB:'.repeat(31)}cd`], serverName: 'bigip.example.org' },
          tenant: 'k8s_prod',
          shareNodes: true,
          declarations: 'WholeTenant',
          deviceGroup: '/Common/failover-group',
          virtualServers: 'Standard',
          profiles: { tcp: '/Common/f5-tcp-wan', udp: '/Common/udp', sctp: '/Common/sctp' },
          iRules: ['/Common/log'],
          vlans: { public: ['/Common/external'], internal: ['/Common/internal'] },
          snat: { mode: 'Pool', pool: '/Common/snat' },
          balance: 'least-connections-member',
          limits: { connectionsPerVirtualServer: 1000, connectionsPerTarget: 100 },
          priorityGroups: {
            groups: [{ nodeSelector: { matchLabels: { zone: 'near' } }, priority: 10 }],
            minimumActive: 2,
          },
          healthCheck: { port: 10356, intervalSeconds: 2, timeoutSeconds: 7 },
          timeouts: { callSeconds: 10, declarationSeconds: 60 },
        },
      },
    },
    {
      name: 'a device as a URL',
      spec: { bigip: { ...BIGIP, devices: ['https://192.0.2.5'] } },
      refused: 'a device is a host name or an address, and a port if it is not 443',
    },
    {
      name: 'a device twice',
      spec: { bigip: { ...BIGIP, devices: ['192.0.2.5', '192.0.2.5'] } },
      refused: 'name each device once',
    },
    {
      name: 'the tenant Common',
      spec: { bigip: { ...BIGIP, tenant: 'Common' } },
      refused: 'a tenant has letters, digits and underscores',
    },
    {
      name: 'another tenant',
      spec: { bigip: BIGIP },
      update: { bigip: { ...BIGIP, tenant: 'k8s' } },
      refused: "the tenant can't be changed",
    },
    {
      name: 'a BIG-IP whose nodes are shared from now on',
      spec: { bigip: BIGIP },
      update: { bigip: { ...BIGIP, shareNodes: true } },
      refused: "shareNodes can't be changed",
    },
    {
      name: 'a change of a BIG-IP whose nodes are shared',
      spec: { bigip: { ...BIGIP, shareNodes: true } },
      update: { bigip: { ...BIGIP, shareNodes: true, balance: 'fastest-node' } },
    },
    {
      name: 'a change of a BIG-IP with a tenant',
      spec: { bigip: { ...BIGIP, tenant: 'k8s' } },
      update: { bigip: { ...BIGIP, tenant: 'k8s', balance: 'round-robin' } },
    },
    {
      name: 'an authority beside fingerprints',
      spec: { bigip: { ...BIGIP, tls: { caSecretName: 'ca', fingerprints: ['ab'.repeat(32)] } } },
      refused: 'either an authority or fingerprints',
    },
    {
      name: 'a fingerprint of SHA-1',
      spec: { bigip: { ...BIGIP, tls: { fingerprints: [`${'AB:'.repeat(19)}CD`.padEnd(64, ':')] } } },
      refused: 'a fingerprint is SHA-256 in hex',
    },
    {
      name: 'a SNAT pool with AutoMap',
      spec: { bigip: { ...BIGIP, snat: { pool: '/Common/snat' } } },
      refused: 'mode Pool needs a pool',
    },
    {
      name: 'a profile without its folder',
      spec: { bigip: { ...BIGIP, profiles: { fastL4: 'fastL4' } } },
      refused: 'name what is on the device by its full path',
    },
    ...['public', 'internal'].map((scheme) => ({
      name: `a VLAN of ${scheme} load balancers twice`,
      spec: { bigip: { ...BIGIP, vlans: { [scheme]: ['/Common/dmz', '/Common/dmz'] } } },
      refused: 'name each VLAN once: one is there twice',
    })),
    {
      name: 'a device group by a path elsewhere',
      spec: { bigip: { ...BIGIP, deviceGroup: '/Other/failover-group' } },
      refused: 'a device group is named as on the device',
    },
    {
      name: 'a time-out within the interval',
      spec: { bigip: { ...BIGIP, healthCheck: { intervalSeconds: 20 } } },
      refused: 'timeoutSeconds must be more than intervalSeconds',
    },
    ...selectorCases('a nodeSelector of announce', (nodeSelector) => ({ announce: { nodeSelector } })),
    ...selectorCases('a nodeSelector of targets', (nodeSelector) => ({
      announce: {},
      targets: { nodeSelector },
    })),
    ...selectorCases('a namespaceSelector of tenants', (namespaceSelector) => ({
      announce: {},
      tenants: { namespaceSelector },
    })),
  ],
};
