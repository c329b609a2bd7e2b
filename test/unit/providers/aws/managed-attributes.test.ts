import { expect } from 'chai';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffModel } from '../../../../providers/aws/diff/diff-model.ts';
import { memberOf } from '../../../../providers/aws/stack-of.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge } from './support/converge.ts';
import { type DesiredOptions, desiredWith, NETWORK } from './support/desired.ts';

type Attributes = Record<string, string>;

/** A load balancer as it was carried out, and what would be done once somebody edited it. */
function edited(options: DesiredOptions, edit: (aws: AwsPicture) => void) {
  const desired: DesiredLoadBalancer = desiredWith(options);
  const aws = new AwsPicture(NETWORK);
  converge(aws, desired);
  edit(aws);
  const changes = diffModel(buildModel(desired), aws.observe(memberOf(desired)));
  return changes.flatMap(({ fields = [] }) =>
    fields.map(({ actual, expected, field }) => `${field}: ${expected}, not ${actual}`),
  );
}

const loadBalancer =
  (attributes: Attributes) =>
  ({ loadBalancers }: AwsPicture) =>
    Object.assign(loadBalancers[0]?.attributes ?? {}, attributes);
const targetGroup =
  (attributes: Attributes) =>
  ({ targetGroups }: AwsPicture) =>
    Object.assign(targetGroups[0]?.attributes ?? {}, attributes);
const listener =
  (attributes: Attributes) =>
  ({ loadBalancers }: AwsPicture) =>
    Object.assign(loadBalancers[0]?.listeners[0]?.attributes ?? {}, attributes);

describe('providers/aws: attributes that are wanted as AWS makes them', () => {
  const drain = (drainSeconds: number) => ({
    spec: { targets: { mode: 'NodePort' as const, drainSeconds } },
  });

  it('are put back on a load balancer, though nobody names them', () => {
    const edits: Attributes = {
      'deletion_protection.enabled': 'true',
      'load_balancing.cross_zone.enabled': 'true',
      'access_logs.s3.enabled': 'true',
      'dns_record.client_routing_policy': 'availability_zone_affinity',
    };
    for (const [key, value] of Object.entries(edits)) {
      const [found, ...more] = edited({}, loadBalancer({ [key]: value }));
      expect(more, key).to.deep.equal([]);
      expect(found, key).to.match(new RegExp(`^attributes\\.${key}: .*, not ${value}$`));
    }
  });

  it('are put back on a target group, though nobody names them', () => {
    const edits: Attributes = {
      'deregistration_delay.timeout_seconds': '12',
      'deregistration_delay.connection_termination.enabled': 'true',
      'stickiness.enabled': 'true',
      'proxy_protocol_v2.enabled': 'true',
      'preserve_client_ip.enabled': 'false',
    };
    for (const [key, value] of Object.entries(edits)) {
      const [found, ...more] = edited(drain(300), targetGroup({ [key]: value }));
      expect(more, key).to.deep.equal([]);
      expect(found, key).to.match(new RegExp(`^attributes\\.${key}: .*, not ${value}$`));
    }
  });

  it('keep the client address of nodes, and not that of pods, as AWS has it', () => {
    const pods: DesiredOptions = {
      spec: {
        frontends: [{ protocol: 'TCP', port: 80 }],
        targets: { mode: 'Pod', drainSeconds: 300 },
      },
      pods: [
        { protocol: 'TCP', port: 80, address: '10.1.0.1', targetPort: 8080, pod: 'web-1', gated: false },
      ],
    };
    expect(edited({}, targetGroup({ 'preserve_client_ip.enabled': 'true' }))).to.deep.equal([]);
    expect(edited(pods, targetGroup({ 'preserve_client_ip.enabled': 'false' }))).to.deep.equal([]);
    expect(edited(pods, targetGroup({ 'preserve_client_ip.enabled': 'true' }))).to.deep.equal([
      'attributes.preserve_client_ip.enabled: false, not true',
    ]);
  });

  it('end the connections of datagrams with the deregistration delay, and no others, as AWS has it', () => {
    const termination = (value: boolean) =>
      targetGroup({ 'deregistration_delay.connection_termination.enabled': String(value) });
    const over = (...protocols: ('TCP' | 'UDP')[]): DesiredOptions => ({
      spec: {
        frontends: protocols.map((protocol) => ({ protocol, port: 53, nodePort: 30053 })),
        targets: { mode: 'NodePort', drainSeconds: 300 },
      },
    });
    for (const [options, isDefault] of [
      [over('TCP'), false],
      [over('UDP'), true],
      [over('TCP', 'UDP'), true],
    ] as const) {
      expect(edited(options, termination(isDefault))).to.deep.equal([]);
      expect(edited(options, termination(!isDefault))).to.deep.equal([
        `attributes.deregistration_delay.connection_termination.enabled: ${isDefault}, not ${!isDefault}`,
      ]);
    }
  });

  it('are put back on a listener of TCP, and asked of no other', () => {
    const idle = { 'tcp.idle_timeout.seconds': '60' };
    expect(edited({}, listener(idle))).to.deep.equal(['attributes.tcp.idle_timeout.seconds: 350, not 60']);
    const udp = { spec: { frontends: [{ protocol: 'UDP' as const, port: 53, nodePort: 30053 }] } };
    expect(edited(udp, listener(idle))).to.deep.equal([]);
  });

  it('keep where access logs go as the option says, while they are on', () => {
    const on = { 'access_logs.s3.enabled': 'true', 'access_logs.s3.bucket': 'logs' };
    expect(edited({ aws: { attributes: on } }, loadBalancer({ 'access_logs.s3.prefix': 'x' }))).to.deep.equal(
      ['attributes.access_logs.s3.prefix: (none), not x'],
    );
    expect(edited({}, loadBalancer({ 'access_logs.s3.prefix': 'x' }))).to.deep.equal([]);
  });

  it('leave those to their users that Fairlead has no word for', () => {
    expect(edited({}, loadBalancer({ 'zonal_shift.config.enabled': 'true' }))).to.deep.equal([]);
    const health = { 'target_health_state.unhealthy.draining_interval_seconds': '60' };
    expect(edited({}, targetGroup(health))).to.deep.equal([]);
    expect(
      edited({ aws: { targetGroupAttributes: health } }, targetGroup({ ...health, ...ten })),
    ).to.have.lengthOf(1);
  });

  const ten = { 'target_health_state.unhealthy.draining_interval_seconds': '10' };

  it('leave the load balancer that was adopted as its owner has it, but for what is named', () => {
    const protect = loadBalancer({ 'deletion_protection.enabled': 'true' });
    const adopt = (aws: AwsPicture) => {
      for (const { tags } of aws.loadBalancers) tags[OWNER_TAGS.adopted] = 'true';
      protect(aws);
    };
    const managed = { manageSecurityGroup: true };
    expect(edited({ aws: managed }, adopt)).to.deep.equal([]);
    const aws = { ...managed, attributes: { 'deletion_protection.enabled': 'false' } };
    expect(edited({ aws }, adopt)).to.deep.equal(['attributes.deletion_protection.enabled: false, not true']);
  });
});
