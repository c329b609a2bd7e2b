import { expect } from 'chai';
import type { LoadBalancerSpec } from '../../../crds/load-balancer.ts';
import { createAwsProvider } from '../../../providers/aws/aws.ts';
import { OWNER_TAGS } from '../../../providers/aws/tags.ts';
import type { DesiredLoadBalancer, Provider } from '../../../providers/provider.ts';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { keyValues, objects, text } from '../../peers/aws/plain.ts';
import { requestCertificate, type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { limits, never } from './support/account.ts';
import { desireOver, providerOf, readSecret } from './support/fixture.ts';

const MOST_TURNS = 12;

/** What people rarely change, and what it needs to be allowed. */
describe('aws: changes in place', function () {
  this.timeout(120_000);
  let peer: AwsPeer;
  let network: SeededNetwork;
  let provider: Pick<Provider, 'build' | 'diff' | 'observe' | 'apply'>;

  before(async () => {
    peer = await startAws();
    network = await seedNetwork(peer, { ipv6: true });
    provider = createAwsProvider({ readSecret, limits: limits(100) });
  });
  after(() => peer?.stop());
  beforeEach(() => peer.calls.reset());

  function desire(service: string, spec: Partial<LoadBalancerSpec> = {}): DesiredLoadBalancer {
    const frontends = [{ protocol: 'TCP' as const, port: 443, nodePort: 30443 }];
    return desireOver(providerOf(peer, network), network.instances, service, { frontends, ...spec });
  }

  /** Turn after turn, until there is nothing to do. */
  async function settle(desired: DesiredLoadBalancer): Promise<void> {
    const model = provider.build(desired);
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      const changes = provider.diff(model, await provider.observe(desired, undefined, never));
      if (changes.length === 0) return;
      for (const change of changes) await provider.apply(change, desired, never);
    }
    throw new Error('it goes round and round');
  }

  async function loadBalancerOf(service: string) {
    const { LoadBalancers } = await peer.elb('DescribeLoadBalancers');
    const found = objects(LoadBalancers).find((each) => text(each.LoadBalancerName).includes(`-${service}-`));
    if (found === undefined) throw new Error(`no load balancer of ${service}`);
    return found;
  }

  it('of certificates: one more, another one, one less', async () => {
    const [one = '', two = '', three = ''] = await Promise.all(
      ['one', 'two', 'three'].map((name) => requestCertificate(peer, `${name}.example`)),
    );
    const withCertificates = (...certificateARNs: string[]) =>
      desire('tls', { aws: { tls: { certificateARNs } } });
    const certificates = async () => {
      const LoadBalancerArn = text((await loadBalancerOf('tls')).LoadBalancerArn);
      const [listener = {}] = objects((await peer.elb('DescribeListeners', { LoadBalancerArn })).Listeners);
      const ListenerArn = text(listener.ListenerArn);
      const { Certificates } = await peer.elb('DescribeListenerCertificates', { ListenerArn });
      return [...new Set(objects(Certificates).map((each) => text(each.CertificateArn)))].sort();
    };
    await settle(withCertificates(one, two));
    expect(await certificates()).to.deep.equal([one, two].sort());
    await settle(withCertificates(one, three));
    expect(await certificates()).to.deep.equal([one, three].sort());
    await settle(withCertificates(one));
    expect(await certificates()).to.deep.equal([one]);
    expect(peer.calls.count({ operation: /^(Add|Remove)ListenerCertificates$/ })).to.equal(4);
    // A process that remembers nothing reads them.
    provider = createAwsProvider({ readSecret, limits: limits(100) });
    peer.calls.reset();
    await settle(withCertificates(one));
    expect(peer.calls.count({ operation: 'DescribeListenerCertificates' })).to.equal(1);
    expect(peer.calls.count({ operation: /^(Add|Modify|Remove)/ })).to.equal(0);
  });

  it('of families: to both and back', async () => {
    await settle(desire('families', { ipFamilies: ['IPv4'] }));
    expect(text((await loadBalancerOf('families')).IpAddressType)).to.equal('ipv4');
    await settle(desire('families', { ipFamilies: ['IPv4', 'IPv6'] }));
    expect(text((await loadBalancerOf('families')).IpAddressType)).to.equal('dualstack');
    await settle(desire('families', { ipFamilies: ['IPv4'] }));
    expect(text((await loadBalancerOf('families')).IpAddressType)).to.equal('ipv4');
    expect(peer.calls.count({ operation: 'SetIpAddressType' })).to.equal(2);
  });

  it('of tags: those that nobody asks for any more go from all that is there, and those of others stay', async () => {
    await settle(desire('tags', { aws: { tags: { team: 'a', env: 'prod' } } }));
    const LoadBalancerArn = text((await loadBalancerOf('tags')).LoadBalancerArn);
    const [group = {}] = objects((await peer.elb('DescribeTargetGroups', { LoadBalancerArn })).TargetGroups);
    const [listener = {}] = objects((await peer.elb('DescribeListeners', { LoadBalancerArn })).Listeners);
    const arns = [LoadBalancerArn, text(group.TargetGroupArn), text(listener.ListenerArn)];
    await peer.elb('AddTags', { ResourceArns: [LoadBalancerArn], Tags: [{ Key: 'theirs', Value: 'x' }] });
    await settle(desire('tags', { aws: { tags: { env: 'test' } } }));

    const { TagDescriptions } = await peer.elb('DescribeTags', { ResourceArns: arns });
    expect(objects(TagDescriptions)).to.have.length(3);
    for (const { Tags } of objects(TagDescriptions)) {
      expect(keyValues(Tags)).to.include({ env: 'test' });
      expect(keyValues(Tags)).to.not.have.property('team');
    }
    expect(keyValues(objects(TagDescriptions)[0]?.Tags)).to.include({ theirs: 'x' });
    const stack = await peer.ec2('DescribeSecurityGroups', {
      Filter: [{ Name: `tag:${OWNER_TAGS.member}`, Value: ['shop/tags.nlb'] }],
    });
    const [security = {}] = objects(stack.securityGroupInfo);
    const keys = objects(security.tagSet).map(({ key }) => text(key));
    expect(keys).to.include('env').and.not.include('team');
    expect(peer.calls.count({ operation: 'DeleteTags' })).to.equal(1);
  });

  it('of pods in the place of nodes: their interfaces say which group lets the load balancer in', async () => {
    const [instance] = network.instances;
    const pods = [
      {
        protocol: 'TCP' as const,
        port: 443,
        address: instance?.address ?? '',
        targetPort: 8443,
        gated: false,
      },
    ];
    await settle({ ...desire('pods', { targets: { mode: 'Pod', drainSeconds: 30 } }), pods });
    expect(peer.calls.count({ operation: 'DescribeNetworkInterfaces' })).to.be.greaterThan(0);
    const nodes = await peer.ec2('DescribeSecurityGroups', { GroupId: [network.securityGroupId] });
    const rules = objects(objects(nodes.securityGroupInfo)[0]?.ipPermissions);
    expect(rules.map(({ fromPort }) => text(fromPort))).to.include('8443');
  });

  it('of pods outside of the VPC: they are targets in all zones', async () => {
    const [instance] = network.instances;
    const podAt = (address: string) => ({
      protocol: 'TCP' as const,
      port: 443,
      address,
      targetPort: 8443,
      gated: false,
    });
    const pods = [podAt(instance?.address ?? ''), podAt('192.168.7.7')];
    const desired = desire('outside', { targets: { mode: 'Pod', drainSeconds: 30 } });
    await settle({ ...desired, pods });
    const registered = peer.calls
      .matching({ operation: 'RegisterTargets' })
      .flatMap(({ parameters }) => objects(parameters.Targets));
    expect(registered.map(({ AvailabilityZone, Id }) => [Id, AvailabilityZone])).to.deep.equal(
      pods.map(({ address }) => [address, address === '192.168.7.7' ? 'all' : undefined]),
    );
    await settle({ ...desired, pods: pods.slice(0, 1) });
    expect(peer.calls.count({ operation: 'DeregisterTargets' })).to.equal(1);
  });
});
