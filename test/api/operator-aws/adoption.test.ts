import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife, hostnameOf } from './support/aws-life.ts';

describe('operator and AWS: a load balancer that was there before', function () {
  this.timeout(120_000);
  let life: AwsLife;
  let arn: string;
  let dnsName: string;

  beforeEach(async () => {
    life = await AwsLife.start();
    const made = await life.aws.peer.elb('CreateLoadBalancer', {
      Name: 'by-hand',
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: life.aws.network.publicSubnets.map(({ id }) => id),
      Tags: [{ Key: 'team', Value: 'shop' }],
    });
    const [loadBalancer] = objects(made.LoadBalancers);
    arn = text(loadBalancer?.LoadBalancerArn);
    dnsName = text(loadBalancer?.DNSName);
  });
  afterEach(() => life.end());

  const adopt = (service: string) =>
    life.fixture.service(service, { annotations: { 'fairlead.dev/adopt': arn } });
  const confirm = async (service: string, message: string) => {
    const token = /fairlead\.dev\/adopt-confirmed: "([0-9a-f]+)"/.exec(message)?.[1];
    await life.fixture.patch(SERVICES, service, {
      metadata: { annotations: { 'fairlead.dev/adopt-confirmed': token } },
    });
  };
  const adopted = async (service: string) => {
    await adopt(service);
    await confirm(service, (await life.fixture.untilReason(service, 'AdoptionNotConfirmed')).message);
    await life.untilReady(service);
  };
  /** Of somebody else, who was there first. */
  const listenByHand = async (port: number) => {
    const group = await life.aws.peer.elb('CreateTargetGroup', {
      Name: `theirs-${port}`,
      Protocol: 'TCP',
      Port: String(port),
      VpcId: life.aws.network.vpcId,
    });
    const TargetGroupArn = text(objects(group.TargetGroups)[0]?.TargetGroupArn);
    const DefaultActions = [{ Type: 'forward', TargetGroupArn }];
    await life.aws.peer.elb('CreateListener', {
      LoadBalancerArn: arn,
      Protocol: 'TCP',
      Port: String(port),
      DefaultActions,
    });
  };
  const arns = async () => (await life.aws.loadBalancers()).map((each) => text(each.LoadBalancerArn));

  it('is shown with what would be done, and nothing is done until just that is confirmed', async () => {
    await adopt('web');
    const { message } = await life.fixture.untilReason('web', 'AdoptionNotConfirmed');
    expect(message).to.contain(arn).and.to.contain('Listen on TCP 80').and.to.contain('adopt-confirmed');
    await waitFor(
      async () => life.operator.events.map(({ note }) => note),
      (notes) => notes.some((note) => note.includes('Listen on TCP 80')),
      'the Event',
    );
    await life.fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/adopt-confirmed': '000000000000' } },
    });
    await life.fixture.untilLoadBalancer(
      'web',
      ({ spec }) => spec.aws?.adopt?.confirmed === '000000000000',
      'the wrong word',
    );
    // Another plan needs another word.
    await life.fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 8080 }] } });
    const { message: next } = await waitFor(
      () => life.fixture.untilReason('web', 'AdoptionNotConfirmed'),
      (found) => found.message.includes('Listen on TCP 8080'),
      'the other plan',
    );
    expect(hostnameOf(await life.fixture.getService('web'))).to.equal(undefined);
    expect(life.changes()).to.deep.equal([]);
    expect(await life.tagsOf(arn)).to.deep.equal({ team: 'shop' });

    await confirm('web', next);
    await life.untilReady('web');
    expect(hostnameOf(await life.fixture.getService('web'))).to.equal(dnsName);
    expect(await arns()).to.deep.equal([arn]);
    expect(await life.ports()).to.deep.equal([8080]);
    expect(await life.tagsOf(arn)).to.include({
      team: 'shop',
      'fairlead.dev/adopted': 'true',
      'fairlead.dev/stack': `${life.fixture.namespace}/web.p-${life.fixture.id}`,
    });
  });

  it('goes with its Service, when nobody else has a listener on it', async () => {
    await adopted('web');
    await life.delete('web');
    expect(await arns()).to.deep.equal([]);
    expect(await life.aws.targetGroups()).to.deep.equal([]);
  });

  it('is left to those who have a listener on it, as they had it', async () => {
    await listenByHand(22);
    await adopt('web');
    const { message } = await life.fixture.untilReason('web', 'AdoptionNotConfirmed');
    expect(message).to.contain('Its other listeners (TCP 22) stay as they are');
    await confirm('web', message);
    await life.untilReady('web');
    expect(await life.ports()).to.deep.equal([22, 80]);

    await life.delete('web');
    expect(await arns()).to.deep.equal([arn]);
    expect(await life.ports()).to.deep.equal([22]);
    expect(await life.tagsOf(arn)).to.deep.equal({ team: 'shop' });
    expect((await life.aws.targetGroups()).map((each) => text(each.TargetGroupName))).to.deep.equal([
      'theirs-22',
    ]);
  });

  it('is kept with Retain, and is known after a restart by its tags alone', async () => {
    await adopted('web');
    await life.stopOperator();
    life.aws.peer.calls.reset();
    await life.startOperator();
    await life.fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${life.fixture.id}`, {
      spec: { deletion: 'Retain' },
    });
    await life.untilReady('web');
    await life.delete('web');
    expect(
      await life.fixture.exists(LOAD_BALANCERS, life.fixture.namespace, `web.p-${life.fixture.id}`),
    ).to.equal(false);
    expect(await arns()).to.deep.equal([arn]);
    expect(await life.ports()).to.deep.equal([80]);
    expect(life.changes()).to.deep.equal([]);
  });

  it('is refused in words when somebody else has the port', async () => {
    await listenByHand(80);
    await adopt('web');
    const { message } = await life.fixture.untilReason('web', 'PortTaken');
    expect(message).to.contain('80');
    expect(life.changes()).to.deep.equal([]);
  });
});
