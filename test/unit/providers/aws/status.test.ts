import { expect } from 'chai';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import type { AwsObserved, ObservedTarget } from '../../../../providers/aws/observed.ts';
import { tellStatus } from '../../../../providers/aws/status.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge } from './support/converge.ts';
import { desiredWith, NETWORK } from './support/desired.ts';

/** As it is once all is carried out. */
function observed(desired: DesiredLoadBalancer, change: (aws: AwsPicture) => void = () => {}): AwsObserved {
  const aws = new AwsPicture(structuredClone(NETWORK));
  converge(aws, desired);
  change(aws);
  return aws.observe('shop/web.nlb');
}

function withHealth(health: ObservedTarget['health'], reason?: string) {
  return ({ targetGroups }: AwsPicture) => {
    for (const { targets } of targetGroups)
      for (const target of targets) Object.assign(target, { health, reason });
  };
}

describe('providers/aws/status', () => {
  it('shows the name, and how many targets are well', () => {
    const desired = desiredWith();
    expect(tellStatus(buildModel(desired), observed(desired))).to.deep.equal({
      providerID: 'arn:load-balancer-2',
      ingress: [{ hostname: `${buildModel(desired).loadBalancer.name}.elb.example` }],
      targets: { desired: 2, healthy: 2 },
      healthyPods: [],
    });
  });

  for (const mode of ['NodePort', 'ForwardingPort', 'Pod'] as const)
    it(`shows the addresses that people chose, which targets never see as destinations: ${mode}`, () => {
      const desired = desiredWith({
        spec: {
          targets: { mode, drainSeconds: 30 },
          frontends: [{ protocol: 'TCP', port: 80, nodePort: 30080, forwardingPort: 28080 }],
        },
        aws: { subnets: ['subnet-0', 'subnet-1'], elasticIPs: ['eipalloc-1', 'eipalloc-2'] },
      });
      const status = tellStatus(
        buildModel(desired),
        observed(desired, ({ loadBalancers }) => {
          for (const [index, subnet] of (loadBalancers[0]?.subnets ?? []).entries())
            subnet.addresses = [`192.0.2.${index}`];
        }),
      );
      // The API server takes no ipMode without an ip.
      expect(status.ingress[0]).to.have.all.keys('hostname');
      expect(status.ingress.slice(1)).to.deep.equal([
        { ip: '192.0.2.0', ipMode: 'Proxy' },
        { ip: '192.0.2.1', ipMode: 'Proxy' },
      ]);
    });

  it('tells in numbers why no target is healthy, in the words of AWS', () => {
    const desired = desiredWith();
    const status = tellStatus(
      buildModel(desired),
      observed(desired, withHealth('unhealthy', 'Target.Timeout: Request timed out')),
    );
    expect(status.targets).to.deep.equal({ desired: 2, healthy: 0 });
    expect(status.unhealthy?.message)
      .to.contain('0 of 2')
      .and.to.contain('2 unhealthy: Target.Timeout: Request timed out');
    expect(status.notProgrammed).to.equal(undefined);
  });

  it('tells of nodes that are no instances, where nothing else is there', () => {
    const node = { name: 'bare', providerID: 'kind://bare', addresses: [], draining: false };
    const desired = desiredWith({ nodes: [node] });
    expect(tellStatus(buildModel(desired), observed(desired)).unhealthy).to.deep.include({
      reason: 'NoTargets',
    });
    expect(tellStatus(buildModel(desired), observed(desired)).unhealthy?.message).to.contain('bare');
  });

  it('says nothing of health that was not asked about since a restart, and counts what is waited for', () => {
    const desired = desiredWith();
    const there = observed(desired, withHealth(undefined));
    const unknown = tellStatus(buildModel(desired), there);
    expect(unknown).not.to.have.any.keys('targets', 'unhealthy', 'notProgrammed');
    const waiting = tellStatus(buildModel(desired), { ...there, lookAgainAfterSeconds: 5 });
    expect(waiting.targets).to.deep.equal({ desired: 2, healthy: 0 });
    expect(waiting.againAfterSeconds).to.equal(5);
    expect(waiting.unhealthy?.message).to.contain('2 not asked about yet');
  });

  it('names pods that are healthy at every port', () => {
    const pod = { protocol: 'TCP' as const, address: '10.1.0.1', pod: 'web-1', gated: true };
    const desired = desiredWith({
      spec: {
        targets: { mode: 'Pod', drainSeconds: 30 },
        frontends: [
          { protocol: 'TCP', port: 80 },
          { protocol: 'TCP', port: 81 },
        ],
      },
      pods: [
        { ...pod, port: 80, targetPort: 8080 },
        { ...pod, port: 81, targetPort: 8081 },
        { ...pod, port: 80, address: '10.1.0.2', pod: 'web-2', targetPort: 8080 },
      ],
    });
    const model = buildModel(desired);
    expect(tellStatus(model, observed(desired)).healthyPods).to.have.members(['web-1', 'web-2']);
    const one = observed(desired, ({ targetGroups }) => {
      const target = targetGroups.find(({ key }) => key === 'TCP-81')?.targets[0];
      if (target !== undefined) target.health = 'initial';
    });
    expect(tellStatus(model, one).healthyPods).to.deep.equal(['web-2']);
  });

  it('tells what holds it up: nothing there yet, being set up, failed, replaced', () => {
    const desired = desiredWith();
    const model = buildModel(desired);
    const reason = (there: AwsObserved) => tellStatus(model, there).notProgrammed?.reason;
    expect(reason(new AwsPicture(structuredClone(NETWORK)).observe(model.member))).to.equal('Provisioning');
    const inState = (state: 'provisioning' | 'failed') =>
      observed(desired, ({ loadBalancers }) => {
        for (const each of loadBalancers) Object.assign(each, { state, stateReason: 'no addresses' });
      });
    expect(reason(inState('provisioning'))).to.equal('Provisioning');
    expect(reason(inState('failed'))).to.equal('LoadBalancerFailed');
    expect(tellStatus(model, inState('failed')).notProgrammed?.message).to.contain('no addresses');
  });

  it('shows the former load balancer until the new one has a healthy target, and counts that as unfinished', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    converge(aws, desiredWith());
    const [former] = aws.loadBalancers;
    const desired = desiredWith({ spec: { scheme: 'Internal' } });
    const model = buildModel(desired);
    converge(aws, desired);
    expect(aws.loadBalancers).to.have.length(1);
    expect(aws.loadBalancers[0]?.arn).not.to.equal(former?.arn);
    if (former !== undefined) aws.loadBalancers.unshift(former);
    withHealth('initial')(aws);
    const status = tellStatus(model, aws.observe('shop/web.nlb'));
    expect(status.ingress).to.deep.equal([{ hostname: former?.dnsName }]);
    expect(status.notProgrammed?.reason).to.equal('Replacing');
  });

  it('tells of subnets that can not be had, though all else goes on', () => {
    const desired = desiredWith();
    const elsewhere = desiredWith({ aws: { subnets: ['subnet-9'] } });
    const model = buildModel(elsewhere);
    expect(tellStatus(model, observed(desired)).notProgrammed).to.deep.include({ reason: 'SubnetNotFound' });
  });
});
