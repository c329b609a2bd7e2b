import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type AwsOptions, awsOptionsSchema } from '../../../../crds/aws-provider.ts';
import type { TargetsMode } from '../../../../crds/common.ts';
import { renderAnnotations, renderFields } from '../../../../providers/aws/docs/render-docs.ts';
import { ANNOTATIONS } from '../../../../providers/aws/options/annotations.ts';
import { PREFIX, readAnnotations } from '../../../../providers/aws/options/read-annotations.ts';

const read = (
  annotations: Record<string, string>,
  mode: TargetsMode = 'NodePort',
  tls: AwsOptions['tls'] = { certificateARNs: ['arn:of-the-provider'] },
) =>
  readAnnotations(
    Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${PREFIX}${key}`, value])),
    { targets: { mode, drainSeconds: 30 }, aws: { region: 'eu-central-1', ...(tls && { tls }) } },
  );

/**
 * All that it knows of Services, by what comes after the prefix, from pkg/annotations/constants.go and
 * https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
 */
const CONTROLLERS_ANNOTATIONS = [
  'access-log-enabled',
  'access-log-s3-bucket-name',
  'access-log-s3-bucket-prefix',
  'additional-resource-tags',
  'alpn-policy',
  'attributes',
  'backend-protocol',
  'cross-zone-load-balancing-enabled',
  'disable-nlb-sg',
  'eip-allocations',
  'eip-allocations-discovery-tags',
  'enable-icmp-for-path-mtu-discovery',
  'enable-prefix-for-ipv6-source-nat',
  'enable-tcp-udp-listener',
  'healthcheck-healthy-threshold',
  'healthcheck-interval',
  'healthcheck-path',
  'healthcheck-port',
  'healthcheck-protocol',
  'healthcheck-success-codes',
  'healthcheck-timeout',
  'healthcheck-unhealthy-threshold',
  'inbound-sg-rules-on-private-link-traffic',
  'internal',
  'ip-address-type',
  'ipv6-addresses',
  'listener-attributes.TCP-80',
  'manage-backend-security-group-rules',
  'minimum-load-balancer-capacity',
  'multi-cluster-target-group',
  'name',
  'nlb-target-type',
  'private-ipv4-addresses',
  'proxy-protocol',
  'proxy-protocol-per-target-group',
  'quic-enabled-ports',
  'scheme',
  'security-group-prefix-lists',
  'security-groups',
  'source-nat-ipv6-prefixes',
  'ssl-cert',
  'ssl-negotiation-policy',
  'ssl-ports',
  'subnets',
  'target-group-attributes',
  'target-node-labels',
  'type',
];

/** A good value of each that has an effect, and what comes of it. */
const GOOD: Record<string, [value: string, expected: object]> = {
  type: ['nlb-ip', { targetsMode: 'Pod', options: {} }],
  'nlb-target-type': ['instance', { targetsMode: 'NodePort', options: {} }],
  name: ['shop', { options: { aws: { name: 'shop' } } }],
  scheme: ['internet-facing', { scheme: 'Public', options: {} }],
  internal: ['true', { scheme: 'Internal', options: {} }],
  'proxy-protocol': [
    '*',
    { options: { aws: { targetGroupAttributes: { 'proxy_protocol_v2.enabled': 'true' } } } },
  ],
  'ip-address-type': ['dualstack', { options: { aws: { ipAddressType: 'dualstack' } } }],
  'access-log-enabled': ['true', { options: { aws: { attributes: { 'access_logs.s3.enabled': 'true' } } } }],
  'access-log-s3-bucket-name': ['b', { options: { aws: { attributes: { 'access_logs.s3.bucket': 'b' } } } }],
  'access-log-s3-bucket-prefix': [
    'p',
    { options: { aws: { attributes: { 'access_logs.s3.prefix': 'p' } } } },
  ],
  'cross-zone-load-balancing-enabled': [
    'true',
    { options: { aws: { attributes: { 'load_balancing.cross_zone.enabled': 'true' } } } },
  ],
  attributes: ['a=1, b=x=y', { options: { aws: { attributes: { a: '1', b: 'x=y' } } } }],
  'ssl-cert': ['arn:a, arn:b', { options: { aws: { tls: { certificateARNs: ['arn:a', 'arn:b'] } } } }],
  'ssl-ports': ['443', { options: { aws: { tls: { ports: ['443'] } } } }],
  'ssl-negotiation-policy': [
    'ELBSecurityPolicy-TLS13-1-2-2021-06',
    { options: { aws: { tls: { policy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' } } } },
  ],
  'alpn-policy': ['HTTP2Preferred', { options: { aws: { tls: { alpnPolicy: 'HTTP2Preferred' } } } }],
  'backend-protocol': ['ssl', { options: { aws: { tls: { backendProtocol: 'TLS' } } } }],
  'additional-resource-tags': ['team=a', { options: { aws: { tags: { team: 'a' } } } }],
  'healthcheck-protocol': ['http', { options: { aws: { healthCheck: { protocol: 'HTTP' } } } }],
  'healthcheck-port': ['traffic-port', { options: { aws: { healthCheck: { port: 'traffic-port' } } } }],
  'healthcheck-path': ['/up', { options: { aws: { healthCheck: { path: '/up' } } } }],
  'healthcheck-success-codes': ['200', { options: { aws: { healthCheck: { successCodes: '200' } } } }],
  'healthcheck-interval': ['30', { options: { aws: { healthCheck: { intervalSeconds: 30 } } } }],
  'healthcheck-timeout': ['9', { options: { aws: { healthCheck: { timeoutSeconds: 9 } } } }],
  'healthcheck-healthy-threshold': ['3', { options: { aws: { healthCheck: { healthyThreshold: 3 } } } }],
  'healthcheck-unhealthy-threshold': ['4', { options: { aws: { healthCheck: { unhealthyThreshold: 4 } } } }],
  'eip-allocations': ['eipalloc-1', { options: { aws: { elasticIPs: ['eipalloc-1'] } } }],
  'private-ipv4-addresses': ['10.0.0.9', { options: { aws: { privateAddresses: ['10.0.0.9'] } } }],
  'ipv6-addresses': ['fd00::9', { options: { aws: { ipv6Addresses: ['fd00::9'] } } }],
  'target-group-attributes': ['a=1', { options: { aws: { targetGroupAttributes: { a: '1' } } } }],
  subnets: ['subnet-1, inner', { options: { aws: { subnets: ['subnet-1', 'inner'] } } }],
  'target-node-labels': ['pool=edge', { options: { aws: { targetNodeLabels: { pool: 'edge' } } } }],
  'security-groups': ['sg-1, front', { options: { aws: { securityGroups: ['sg-1', 'front'] } } }],
  'manage-backend-security-group-rules': ['true', { options: { aws: { manageBackendRules: true } } }],
  'disable-nlb-sg': ['true', { options: { aws: { manageSecurityGroup: false } } }],
  'enable-tcp-udp-listener': ['true', { options: {} }],
  'enable-icmp-for-path-mtu-discovery': ['on', { options: {} }],
  'listener-attributes.*': [
    'tcp.idle_timeout.seconds=400',
    { options: { aws: { listenerAttributes: { 'tcp.idle_timeout.seconds': '400' } } } },
  ],
};

describe('providers/aws/read-annotations', () => {
  it('reads each annotation that has an effect, into what the schema takes', () => {
    const effective = ANNOTATIONS.filter((each) => each.read !== undefined).map(({ name }) => name);
    expect(Object.keys(GOOD).sort()).to.deep.equal(effective.sort());
    for (const [name, [value, expected]] of Object.entries(GOOD)) {
      const { ignored, invalid, ...reading } = read({ [name]: ` ${value} ` });
      expect({ name, ignored, invalid }).to.deep.equal({ name, ignored: [], invalid: [] });
      expect(reading, name).to.deep.equal(expected);
      expect(awsOptionsSchema.safeParse(reading.options.aws ?? {}).success, name).to.equal(true);
    }
  });

  it('knows each annotation that the AWS Load Balancer Controller has for Services', () => {
    const known = (name: string) =>
      ANNOTATIONS.some(
        (each) => each.name === name || (each.name.endsWith('*') && name.startsWith(each.name.slice(0, -1))),
      );
    expect(CONTROLLERS_ANNOTATIONS.filter((name) => !known(name))).to.deep.equal([]);
    const theirs = new Set(CONTROLLERS_ANNOTATIONS.map((name) => name.replace(/\..*/, '.*')));
    expect(ANNOTATIONS.map(({ name }) => name).filter((name) => !theirs.has(name))).to.deep.equal([]);
  });

  it('takes attributes of listeners, as long as all ports have the same', () => {
    const idle = (seconds: string) => `tcp.idle_timeout.seconds=${seconds}`;
    const same = read({
      'listener-attributes.TCP-80': idle('60'),
      'listener-attributes.TCP-443': idle('60'),
    });
    expect(same.options.aws?.listenerAttributes).to.deep.equal({ 'tcp.idle_timeout.seconds': '60' });
    expect(same.invalid).to.deep.equal([]);
    const other = read({
      'listener-attributes.TCP-80': idle('60'),
      'listener-attributes.TCP-443': idle('90'),
    });
    expect(other.invalid.map(({ reason }) => reason)).to.deep.equal(['InvalidAnnotation']);
    expect(read({ 'listener-attributes.TCP-80': 'idle' }).invalid).to.have.length(1);
  });

  it('takes the source ranges of old, and holds the Service up where it can not read them', () => {
    const ofOld = 'service.beta.kubernetes.io/load-balancer-source-ranges';
    const targets = { mode: 'NodePort', drainSeconds: 30 } as const;
    const good = readAnnotations({ [ofOld]: '10.0.0.0/8, fd00::/8' }, { targets });
    expect(good).to.deep.include({ sourceRanges: ['10.0.0.0/8', 'fd00::/8'], invalid: [] });
    expect(readAnnotations({ [ofOld]: ' ' }, { targets })).to.not.have.property('sourceRanges');
    const bad = readAnnotations({ [ofOld]: '10.0.0.0/8, everybody' }, { targets });
    expect(bad).to.not.have.property('sourceRanges');
    expect(bad.invalid[0]?.message).to.contain('ought to be CIDRs');
  });

  it('says what a value ought to be, and never half of it', () => {
    for (const [name, value] of Object.entries({
      'healthcheck-interval': 'often',
      'healthcheck-timeout': '1',
      'proxy-protocol': 'yes',
      scheme: 'public',
      attributes: 'a',
      subnets: ' , ',
      'ip-address-type': 'ipv6',
      'manage-backend-security-group-rules': 'perhaps',
    })) {
      const { invalid } = read({ [name]: value });
      expect(invalid, name).to.have.length(1);
      expect(invalid[0]?.message)
        .to.contain(PREFIX + name)
        .and.to.contain('ought to be');
    }
  });

  it('tells of what has no effect, and of what nobody knows', () => {
    const { ignored, invalid } = read({ 'multi-cluster-target-group': 'true', 'made-up': 'x' });
    expect(invalid).to.deep.equal([]);
    expect(ignored.map(({ message }) => message)).to.have.length(2);
  });

  it('puts together what belongs to TLS, whatever the order', () => {
    const { options } = read({
      'ssl-ports': '443, https',
      'ssl-negotiation-policy': 'p',
      'ssl-cert': 'arn:a',
      'alpn-policy': 'http2preferred',
      'backend-protocol': 'ssl',
    });
    expect(options.aws?.tls).to.deep.equal({
      certificateARNs: ['arn:a'],
      ports: ['443', 'https'],
      policy: 'p',
      alpnPolicy: 'HTTP2Preferred',
      backendProtocol: 'TLS',
    });
  });

  it('says so where neither the Service nor its provider names a certificate for TLS', () => {
    const ofService = { 'ssl-ports': '443', 'backend-protocol': 'ssl' };
    const { ignored, invalid } = read(ofService, 'NodePort', { policy: 'p' });
    expect(invalid).to.deep.equal([]);
    expect(ignored.map(({ message }) => message)).to.have.length(1);
    expect(ignored[0]?.message).to.contain(`${PREFIX}ssl-cert`);
    expect(read({ ...ofService, 'ssl-cert': 'arn:a' }, 'NodePort', { policy: 'p' }).ignored).to.deep.equal(
      [],
    );
    expect(read(ofService).ignored).to.deep.equal([]);
    // What holds without TLS as well.
    expect(read({ 'backend-protocol': 'tcp' }, 'NodePort', { policy: 'p' }).ignored).to.deep.equal([]);
  });

  it("makes public what AWS' controller makes internet-facing, also with the older annotation", () => {
    expect(read({ internal: 'false' })).to.deep.include({ scheme: 'Public', invalid: [], ignored: [] });
    expect(read({ internal: '0.0.0.0/0' }).scheme).to.equal('Internal');
    // The newer one goes before, as there.
    expect(read({ internal: 'false', scheme: 'internal' }).scheme).to.equal('Internal');
    expect(read({ internal: 'true', scheme: 'internet-facing' }).scheme).to.equal('Public');
    expect(read({ internal: 'perhaps' }).invalid).to.have.length(1);
  });

  it("speaks TLS to targets for ssl alone, as AWS' controller does, and says what all else means", () => {
    const spoken = (value: string) => {
      const { ignored, invalid, options } = read({ 'backend-protocol': value });
      expect(invalid, value).to.deep.equal([]);
      return { protocol: options.aws?.tls?.backendProtocol, notes: ignored.length };
    };
    expect(spoken('ssl')).to.deep.equal({ protocol: 'TLS', notes: 0 });
    expect(spoken('tcp')).to.deep.equal({ protocol: 'TCP', notes: 0 });
    for (const value of ['http', 'https', 'tls', 'SSL', ''])
      expect(spoken(value), value).to.deep.equal({ protocol: 'TCP', notes: 1 });
    const [note] = read({ 'backend-protocol': 'http' }).ignored;
    expect(note?.reason).to.equal('IgnoredAnnotation');
    expect(note?.message).to.contain('is "http"').and.to.contain('TCP').and.to.contain('ssl');
  });

  it('leaves instances to forwarding ports, where the provider has these', () => {
    expect(read({ 'nlb-target-type': 'instance' }, 'ForwardingPort').targetsMode).to.equal(undefined);
    expect(read({ 'nlb-target-type': 'instance' }, 'Pod').targetsMode).to.equal('NodePort');
    expect(read({ 'nlb-target-type': 'ip' }, 'ForwardingPort').targetsMode).to.equal('Pod');
  });

  it('reads which load balancer to adopt, where that is an ARN', () => {
    const targets = { targets: { mode: 'NodePort' as const, drainSeconds: 30 } };
    const arn =
      'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/by-hand/0123456789abcdef';
    const adopted = readAnnotations(
      { 'fairlead.dev/adopt': arn, 'fairlead.dev/adopt-confirmed': 'abc' },
      targets,
    );
    expect(adopted.options.aws).to.deep.equal({ adopt: { arn, confirmed: 'abc' } });
    expect(readAnnotations({ 'fairlead.dev/adopt': 'by-hand' }, targets).invalid).to.have.length(1);
  });

  it('stands in the docs with what becomes of each, as every field does (node providers/aws/docs/write-docs.ts)', () => {
    const docs = readFileSync(new URL('../../../../docs/providers/aws.md', import.meta.url), 'utf8');
    expect(docs).to.contain(renderAnnotations());
    expect(docs).to.contain(renderFields());
  });
});
