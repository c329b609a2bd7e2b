import { expect } from 'chai';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffModel, planModel } from '../../../../providers/aws/diff/diff-model.ts';
import type { ObservedLoadBalancer } from '../../../../providers/aws/observed.ts';
import { memberOf } from '../../../../providers/aws/stack-of.ts';
import { tellStatus } from '../../../../providers/aws/status.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge, remove } from './support/converge.ts';
import { type DesiredOptions, desiredWith, NETWORK } from './support/desired.ts';
import { convergeAll, sharing, tcp } from './support/sharing.ts';

const portsOf = (aws: AwsPicture) =>
  aws.loadBalancers.map(({ listeners }) => listeners.map(({ member, port }) => `${member} ${port}`).sort());

/** That clients are let in at, beside what everybody may tell of packets that are too big. */
function openPorts(group: { ingress: { protocol: string; fromPort: number }[] } | undefined): number[] {
  return (group?.ingress ?? []).filter(({ protocol }) => protocol === 'tcp').map(({ fromPort }) => fromPort);
}

describe('providers/aws: sharing', () => {
  it('makes one load balancer, with the listeners of all, whoever comes first', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const aws = new AwsPicture(structuredClone(NETWORK));
      const list = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) });
      convergeAll(
        aws,
        order.flatMap((index) => list[index] ?? []),
      );
      expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 80', 'shop/b.nlb 443']]);
      expect(openPorts(aws.securityGroup)).to.deep.equal([80, 443]);
    }
  });

  it('agrees on what nodes let in, though each knows only its own pods', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const targets = { mode: 'Pod' as const, drainSeconds: 30 };
    const pod = { protocol: 'TCP' as const, address: '10.1.0.1', gated: false };
    const list = sharing(
      { service: 'a', spec: { ...tcp(80), targets }, pods: [{ ...pod, port: 80, targetPort: 8080 }] },
      { service: 'b', spec: { ...tcp(443), targets }, pods: [{ ...pod, port: 443, targetPort: 8443 }] },
    );
    convergeAll(aws, list);
    expect(aws.backendPorts).to.deep.equal([{ protocol: 'tcp', fromPort: 1, toPort: 65_535 }]);
  });

  it('refuses a younger one what an older one has otherwise, and lets nobody in for it', () => {
    const [, younger] = sharing(
      { service: 'a', spec: tcp(80) },
      { service: 'b', spec: { ...tcp(80), scheme: 'Internal' }, aws: { name: 'mine' } },
    );
    const model = buildModel(younger ?? desiredWith());
    expect(model.leads).to.equal(false);
    expect(model.refusals.map(({ reason }) => reason)).to.deep.equal(['SharedAddressMismatch', 'PortTaken']);
    expect(model.refusals[0]?.message).to.contain('scheme, name').and.to.contain('shop/a.nlb');
    expect(openPorts(model.securityGroup)).to.deep.equal([80]);
    expect(diffModel(model, new AwsPicture(structuredClone(NETWORK)).observe(model.member))).to.deep.equal(
      [],
    );
  });

  it('takes away what one has, and the whole with the last one', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const [a, b] = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) });
    if (a === undefined || b === undefined) throw new Error('two were made');
    convergeAll(aws, [a, b]);
    const { arn } = aws.loadBalancers[0] ?? {};
    remove(aws, a);
    expect(portsOf(aws)).to.deep.equal([['shop/b.nlb 443']]);
    converge(aws, sharing({ service: 'b', spec: tcp(443) })[0] ?? b);
    expect(aws.loadBalancers.map((each) => each.arn)).to.deep.equal([arn]);
    expect(openPorts(aws.securityGroup)).to.deep.equal([443]);
    remove(aws, b);
    expect(aws.observe('')).to.deep.include({
      loadBalancers: [],
      targetGroups: [],
      securityGroup: undefined,
    });
  });

  it('keeps the old load balancer until all that share it are on the new one', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }));
    const internal = { scheme: 'Internal' as const };
    const [a, b] = sharing(
      { service: 'a', spec: { ...tcp(80), ...internal } },
      { service: 'b', spec: { ...tcp(443), ...internal } },
    );
    if (a === undefined || b === undefined) throw new Error('two were made');
    converge(aws, a);
    expect(aws.loadBalancers).to.have.length(2);
    expect(tellStatus(buildModel(a), aws.observe(memberOf(a))).notProgrammed?.reason).to.equal('Replacing');
    convergeAll(aws, [b, a]);
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 80', 'shop/b.nlb 443']]);
    expect(aws.loadBalancers[0]?.scheme).to.equal('internal');
  });

  it('lets two exchange their ports, and the older take one that a refused one has still', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(443) }, { service: 'b', spec: tcp(80) }));
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 443', 'shop/b.nlb 80']]);
    const both = { frontends: [...tcp(443).frontends, ...tcp(80).frontends] };
    const list = sharing(
      { service: 'a', spec: both },
      { service: 'b', spec: { frontends: [...tcp(443).frontends, ...tcp(8080).frontends] } },
    );
    convergeAll(aws, list);
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 443', 'shop/a.nlb 80']]);
    const [, b] = list.map((each) => buildModel(each));
    expect(b?.refusals.map(({ reason }) => reason)).to.deep.equal(['PortTaken']);
    expect(tellStatus(b ?? fail(), aws.observe('shop/b.nlb')).ingress).to.deep.equal([]);
  });

  it('gives a port that a younger one serves to an older one that asks for it: the listener stays, and one of both is told', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const both = { frontends: [...tcp(80).frontends, ...tcp(443).frontends] };
    convergeAll(aws, sharing({ service: 'b', spec: both }));
    const listeners = () => aws.loadBalancers.flatMap((each) => each.listeners.map(({ arn }) => arn));
    const before = listeners();
    const list = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: both });
    const [a = fail(), b = fail()] = list;
    const calls = diffModel(buildModel(a), aws.observe('shop/a.nlb')).map(({ call }) => call);
    expect(calls.indexOf('RegisterTargets'))
      .to.be.lessThan(calls.indexOf('ModifyListener'))
      .and.greaterThan(-1);
    convergeAll(aws, [b, a]);
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 80', 'shop/b.nlb 443']]);
    expect(listeners()).to.deep.equal(before);
    const statuses = list.map((each) => tellStatus(buildModel(each), aws.observe(memberOf(each))));
    expect(statuses.map(({ notProgrammed }) => notProgrammed?.reason)).to.deep.equal([
      undefined,
      'PortTaken',
    ]);
    expect(statuses[1]?.notProgrammed?.message).to.contain('Port 80').and.to.contain("shop/a.nlb's");
    // What it has beside it goes on.
    expect(statuses.map(({ ingress }) => ingress)).to.deep.equal([
      statuses[0]?.ingress,
      statuses[0]?.ingress,
    ]);
  });

  it('tags a listener first and then leads it elsewhere, so that whoever had it leaves it alone', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }));
    const [a = fail(), b = fail()] = sharing(
      { service: 'a', spec: tcp(443) },
      { service: 'b', spec: tcp(8080) },
    );
    const calls = diffModel(buildModel(a), aws.observe('shop/a.nlb')).map(({ call }) => call);
    expect(calls.indexOf('AddTags')).to.be.lessThan(calls.indexOf('ModifyListener')).and.greaterThan(-1);
    const removal = diffModel(buildModel(b), aws.observe('shop/b.nlb')).find(
      ({ call }) => call === 'DeleteListener',
    );
    expect(removal).to.include({ port: 443, member: 'shop/b.nlb' });
  });

  it('keeps open what one serves that may not share as it is edited by now', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const first = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) });
    convergeAll(aws, first);
    const { backendPorts } = aws;
    const both = { frontends: [...tcp(443).frontends, ...tcp(80).frontends] };
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: both }));
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 80', 'shop/b.nlb 443']]);
    expect(openPorts(aws.securityGroup)).to.deep.equal([80, 443]);
    expect(aws.backendPorts).to.deep.equal(backendPorts);
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(8443) }));
    expect(openPorts(aws.securityGroup)).to.deep.equal([80, 8443]);
  });

  it('moves to another scheme without one that may not come along, which is served where it was', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }));
    const internal = { scheme: 'Internal' as const };
    const list = sharing(
      { service: 'a', spec: { ...tcp(80), ...internal } },
      { service: 'b', spec: tcp(443) },
    );
    convergeAll(aws, list);
    expect(aws.loadBalancers.map(({ scheme }) => scheme)).to.deep.equal(['internet-facing', 'internal']);
    expect(portsOf(aws)).to.deep.equal([['shop/b.nlb 443'], ['shop/a.nlb 80']]);
    expect(aws.targetGroups).to.have.length(2);
    const [a = fail(), b = fail()] = list.map((each) =>
      tellStatus(buildModel(each), aws.observe(memberOf(each))),
    );
    expect(a).to.deep.include({ ingress: [{ hostname: aws.loadBalancers[1]?.dnsName }] });
    expect(a).not.to.have.property('notProgrammed');
    expect(b.notProgrammed?.reason).to.equal('SharedAddressMismatch');
    expect(b.ingress).to.deep.equal([{ hostname: aws.loadBalancers[0]?.dnsName }]);

    convergeAll(
      aws,
      sharing(
        { service: 'a', spec: { ...tcp(80), ...internal } },
        { service: 'b', spec: { ...tcp(443), ...internal } },
      ),
    );
    expect(portsOf(aws)).to.deep.equal([['shop/a.nlb 80', 'shop/b.nlb 443']]);
    expect(aws.loadBalancers[0]?.scheme).to.equal('internal');
  });

  it('takes a port over that was left behind, and leaves what else was', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const gone = { frontends: [...tcp(80).frontends, ...tcp(443).frontends] };
    convergeAll(aws, sharing({ service: 'gone', spec: gone }));
    convergeAll(aws, sharing({ service: 'next', spec: tcp(80) }));
    expect(portsOf(aws)).to.deep.equal([['shop/gone.nlb 443', 'shop/next.nlb 80']]);
    expect(openPorts(aws.securityGroup)).to.deep.equal([80, 443]);
  });
});

function fail(): never {
  throw new Error('the fixture has one');
}

const ARN = 'arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/by-hand/0123456789abcdef';

function byHand(rest: Partial<ObservedLoadBalancer> = {}): ObservedLoadBalancer {
  return {
    arn: ARN,
    name: 'by-hand',
    variant: '',
    dnsName: 'by-hand.elb.example',
    hostedZoneId: undefined,
    state: 'active',
    stateReason: undefined,
    scheme: 'internet-facing',
    ipAddressType: 'ipv4',
    vpcId: 'vpc-1',
    subnets: [{ subnetId: 'subnet-0', zone: 'eu-central-1a', addresses: [] }],
    securityGroups: ['sg-theirs'],
    attributes: {},
    tags: { theirs: 'yes' },
    listeners: [
      {
        arn: 'arn:theirs',
        key: undefined,
        member: undefined,
        port: 22,
        protocol: 'TCP',
        certificates: [],
        sslPolicy: undefined,
        alpnPolicy: undefined,
        attributes: {},
        targetGroupArn: 'arn:their-group',
        tags: {},
      },
    ],
    ...rest,
  };
}

function adopting(confirmed?: string, rest: DesiredOptions = {}): DesiredLoadBalancer {
  return desiredWith({
    ...rest,
    aws: { ...rest.aws, adopt: { arn: ARN, ...(confirmed === undefined ? {} : { confirmed }) } },
  });
}

/** What the condition tells. */
function ask(aws: AwsPicture, desired: DesiredLoadBalancer) {
  const plan = planModel(buildModel(desired), aws.observe(memberOf(desired)));
  if (plan.kind !== 'refused') throw new Error('it changes something without asking');
  return { ...plan.finding, token: /"([0-9a-f]{12})"/.exec(plan.finding.message)?.[1] };
}

describe('providers/aws: adoption', () => {
  it('shows what would be done, and does nothing before it is confirmed by just that', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const asked = ask(aws, adopting());
    expect(asked.reason).to.equal('AdoptionNotConfirmed');
    expect(asked.message)
      .to.contain('subnet-0, subnet-1, subnet-2')
      .and.to.contain('TCP 80')
      .and.to.contain('TCP 22');
    expect(ask(aws, adopting('000000000000')).token).to.equal(asked.token);
    expect(ask(aws, adopting(undefined, { nodes: [] })).token).to.equal(asked.token);
    expect(ask(aws, adopting(undefined, { aws: { subnets: ['subnet-0'] } })).token).not.to.equal(asked.token);
    const status = tellStatus(buildModel(adopting()), aws.observe('shop/web.nlb'));
    expect(status).to.deep.include({ ingress: [] });
  });

  it('shows the groups that would be made and attached, and what nodes would let in', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const clients = { aws: { manageSecurityGroup: true } };
    const { name } = buildModel(adopting(undefined, clients)).securityGroup ?? fail();
    const told = ask(aws, adopting(undefined, clients));
    expect(told.message)
      .to.contain(`Create security group ${name}, which lets in 0.0.0.0/0 to tcp 80`)
      .and.to.contain(`securityGroups sg-theirs -> ${[name, 'sg-theirs'].sort().join(', ')}`)
      .and.to.contain('the security group too that the load balancers of its provider share')
      .and.to.contain('let it reach tcp 10256, tcp 30080');
    expect(ask(aws, adopting(undefined, { ...clients, nodes: [] })).token).to.equal(told.token);
    const nodes = ask(aws, adopting(undefined, { aws: { manageBackendRules: true } }));
    expect(nodes.message)
      .to.contain(`${name}, which lets nobody in`)
      .and.to.contain('let it reach tcp 10256');
    const clientsOnly = { manageBackendRules: false, manageSecurityGroup: true };
    expect(ask(aws, adopting(undefined, { aws: clientsOnly })).message).not.to.contain('let it reach');
    expect(ask(aws, adopting()).message).not.to.contain('security group');
    converge(aws, adopting(told.token, clients));
    expect(aws.loadBalancers[0]?.securityGroups).to.include('sg-theirs').and.to.have.length(2);
  });

  it('shows that nodes would let in the ports of pods, whatever pods there are', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const pod = { protocol: 'TCP' as const, port: 80, address: '10.1.0.1', targetPort: 8080, gated: false };
    const wanted: DesiredOptions = {
      spec: { targets: { mode: 'Pod', drainSeconds: 30 } },
      aws: { manageSecurityGroup: true },
    };
    const told = ask(aws, adopting(undefined, { ...wanted, pods: [pod] }));
    expect(told.message).to.contain('let it reach the ports of its pods');
    expect(ask(aws, adopting(undefined, wanted)).token).to.equal(told.token);
  });

  it('tags it first, leaves what is theirs as it is, and hands it back', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const { token } = ask(aws, adopting());
    const [first] = diffModel(buildModel(adopting(token)), aws.observe('shop/web.nlb'));
    expect(first).to.include({ call: 'AddTags' });
    converge(aws, adopting(token));
    expect(aws.loadBalancers).to.have.length(1);
    expect(aws.loadBalancers[0]).to.deep.include({ arn: ARN, securityGroups: ['sg-theirs'] });
    expect(aws.loadBalancers[0]?.listeners.map(({ port }) => port)).to.deep.equal([22, 80]);
    expect(aws.loadBalancers[0]?.tags).to.include({ theirs: 'yes', [OWNER_TAGS.stack]: 'shop/web.nlb' });
    remove(aws, adopting(token));
    expect(aws.loadBalancers).to.deep.equal([]);
    expect(aws.targetGroups).to.deep.equal([]);
    expect(aws.adoptable?.listeners.map(({ port }) => port)).to.deep.equal([22]);
    expect(aws.adoptable?.tags).to.deep.equal({ theirs: 'yes' });
  });

  it('goes on where it was cut off, without asking again', () => {
    for (let cut = 1; cut < 6; cut++) {
      const aws = new AwsPicture(structuredClone(NETWORK));
      aws.adoptable = byHand();
      const { token } = ask(aws, adopting());
      converge(aws, adopting(token), { cutAfter: (turn) => (turn === 0 ? cut : undefined) });
      expect(aws.loadBalancers[0]?.listeners.map(({ port }) => port)).to.deep.equal([22, 80]);
    }
  });

  it('keeps it, and the groups that it has, when nobody asks for it by its ARN any more', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const { token } = ask(aws, adopting());
    converge(aws, adopting(token));
    converge(aws, desiredWith());
    expect(aws.loadBalancers.map(({ arn }) => arn)).to.deep.equal([ARN]);
    expect(aws.loadBalancers[0]?.securityGroups).to.deep.equal(['sg-theirs']);
    expect(aws.securityGroup).to.equal(undefined);
  });

  it('lets nobody in beside those of its owner, also without its ARN, but where that is asked for', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand();
    const nodes = { aws: { manageBackendRules: true } };
    const { token } = ask(aws, adopting(undefined, nodes));
    converge(aws, adopting(token, nodes));
    expect(converge(aws, desiredWith(nodes)).flat().join()).not.to.match(/security group|Let in/i);
    expect(aws.securityGroup?.ingress).to.deep.equal([]);
    expect(aws.backendPorts).to.have.length(2);
    converge(aws, desiredWith({ aws: { manageSecurityGroup: true } }));
    expect(openPorts(aws.securityGroup)).to.deep.equal([80]);
    converge(aws, desiredWith());
    expect(aws.securityGroup).to.equal(undefined);
    expect(aws.loadBalancers[0]?.securityGroups).to.deep.equal(['sg-theirs']);
  });

  it('refuses in words what AWS can not change of it, and ports that are taken', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    aws.adoptable = byHand({ scheme: 'internal', securityGroups: [] });
    expect(ask(aws, adopting()).message).to.contain(
      'its scheme is internal, and ought to be internet-facing',
    );
    const wantsGroups = { spec: { scheme: 'Internal' as const }, aws: { manageSecurityGroup: true } };
    expect(ask(aws, adopting(undefined, wantsGroups)).message).to.contain('made without security groups');
    aws.adoptable = byHand();
    expect(ask(aws, adopting(undefined, { spec: tcp(22) }))).to.include({ reason: 'PortTaken' });
    expect(ask(aws, adopting(undefined, { aws: { name: 'other' } }))).to.include({
      reason: 'AdoptableDiffers',
    });
  });

  it('refuses in words one that another Service or cluster has, until its tags are taken away', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const tagged = (tags: Record<string, string>) => {
      aws.adoptable = byHand({ tags });
      return ask(aws, adopting());
    };
    const [cluster, stack] = [OWNER_TAGS.cluster, OWNER_TAGS.stack];
    const ofOther = tagged({ [cluster]: 'c-1', [stack]: 'shop/api.nlb' });
    expect(ofOther).to.include({ reason: 'AdoptableOwned' });
    expect(ofOther.message).to.contain('shop/api.nlb').and.to.contain(`${cluster} and ${stack}`);
    const ofCluster = tagged({ [cluster]: 'c-2', [stack]: 'shop/web.nlb' });
    expect(ofCluster).to.include({ reason: 'AdoptableOwned' });
    expect(ofCluster.message).to.contain('cluster c-2');
    expect(tagged({ [stack]: 'shop/api.nlb' })).to.include({ reason: 'AdoptableOwned' });
    expect(tellStatus(buildModel(adopting()), aws.observe('shop/web.nlb')).notProgrammed?.reason).to.equal(
      'AdoptableOwned',
    );
    // Its own, with a tag that somebody took away.
    expect(tagged({ [stack]: 'shop/web.nlb' })).to.include({ reason: 'AdoptionNotConfirmed' });
    expect(tagged({ theirs: 'yes' })).to.include({ reason: 'AdoptionNotConfirmed' });
  });

  it('is left to the oldest of those that share', () => {
    const aws = new AwsPicture(structuredClone(NETWORK));
    const adopt = { arn: ARN };
    const [, younger] = sharing(
      { service: 'a', spec: tcp(80), aws: { adopt } },
      { service: 'b', spec: tcp(443) },
    );
    expect(ask(aws, younger ?? desiredWith()).message).to.contain('the oldest Service that shares it');
  });
});
