import { expect } from 'chai';
import { buildModel } from '../../../../providers/aws/build/build-model.ts';
import { diffModel } from '../../../../providers/aws/diff/diff-model.ts';
import { memberOf } from '../../../../providers/aws/stack-of.ts';
import { tellStatus } from '../../../../providers/aws/status.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { NETWORK } from './support/desired.ts';
import { convergeAll, sharing, tcp } from './support/sharing.ts';

const statusOf = (aws: AwsPicture, desired: DesiredLoadBalancer) =>
  tellStatus(buildModel(desired), aws.observe(memberOf(desired)));
const changesOf = (aws: AwsPicture, desired: DesiredLoadBalancer) =>
  diffModel(buildModel(desired), aws.observe(memberOf(desired))).map(({ summary }) => summary);
const both = { frontends: [...tcp(443).frontends, ...tcp(80).frontends] };

describe('providers/aws: others in the way', () => {
  let aws: AwsPicture;
  beforeEach(() => {
    aws = new AwsPicture(structuredClone(NETWORK));
    convergeAll(aws, sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }));
  });

  it('are none where all are served, whoever was made before whom', () => {
    for (const each of sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) }))
      expect(statusOf(aws, each)).not.to.have.any.keys('waitsForOthers', 'onlyWaits');
  });

  it('are one that is refused, and one that is gone and left its part behind: the same text until they go', () => {
    const refused = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: both });
    const retained = sharing({ service: 'a', spec: tcp(80) });
    for (const list of [refused, retained]) {
      convergeAll(aws, list);
      const [a] = list;
      if (a === undefined) throw new Error('there is one');
      const { notProgrammed, waitsForOthers } = statusOf(aws, a);
      expect(notProgrammed).to.equal(undefined);
      expect(waitsForOthers).to.match(/^target group \S+$/);
      // What somebody edits meanwhile changes nothing of it.
      for (const group of aws.targetGroups) group.attributes['stickiness.enabled'] = 'true';
      expect(changesOf(aws, a)).to.have.length(1);
      expect(statusOf(aws, a).waitsForOthers).to.equal(waitsForOthers);
      convergeAll(aws, [a]);
    }
    // With it goes what clients were let in for.
    aws.targetGroups = aws.targetGroups.filter(({ member }) => member === 'shop/a.nlb');
    const [a] = retained;
    if (a === undefined) throw new Error('there is one');
    expect(statusOf(aws, a)).not.to.have.property('waitsForOthers');
    expect(changesOf(aws, a)).not.to.deep.equal([]);
  });

  it("are not its own things, when somebody tags them as another's", () => {
    const [a] = sharing({ service: 'a', spec: tcp(80) }, { service: 'b', spec: tcp(443) });
    if (a === undefined) throw new Error('there is one');
    const own = aws.targetGroups.find(({ member }) => member === 'shop/a.nlb');
    if (own === undefined) throw new Error('there is one');
    own.member = 'shop/nobody.nlb';
    own.tags[OWNER_TAGS.member] = 'shop/nobody.nlb';
    expect(statusOf(aws, a)).not.to.have.property('waitsForOthers');
    expect(changesOf(aws, a)).to.have.length(1);
  });

  it('keep a former load balancer, which is nobody else’s matter: neither shown nor told when targets fail', () => {
    const list = sharing(
      { service: 'a', spec: { ...tcp(80), scheme: 'Internal' } },
      { service: 'b', spec: tcp(443) },
    );
    convergeAll(aws, list);
    const [a] = list;
    if (a === undefined) throw new Error('there is one');
    const [, now] = aws.loadBalancers;
    const before = statusOf(aws, a);
    expect(before.waitsForOthers).to.contain('load balancer').and.not.to.contain('serves');
    for (const { targets } of aws.targetGroups) for (const each of targets) each.health = 'unhealthy';
    const after = statusOf(aws, a);
    expect(after.notProgrammed).to.equal(undefined);
    expect(after.unhealthy?.reason).to.equal('NoHealthyTarget');
    expect(after.ingress).to.deep.equal([{ hostname: now?.dnsName }]);
    expect(after.waitsForOthers).to.equal(before.waitsForOthers);
  });

  it('hold up a move: all that can be is carried out, and what is left to do comes with another text', () => {
    const internal = { scheme: 'Internal' as const };
    const [a] = sharing(
      { service: 'a', spec: { ...tcp(80), ...internal } },
      { service: 'b', spec: { ...tcp(443), ...internal } },
    );
    if (a === undefined) throw new Error('there is one');
    convergeAll(aws, [a]);
    const waiting = statusOf(aws, a);
    expect(waiting).to.deep.include({ onlyWaits: true });
    expect(waiting.notProgrammed?.reason).to.equal('Replacing');
    expect(waiting.waitsForOthers).to.contain('serves: false');
    expect(changesOf(aws, a)).to.deep.equal([]);
    // The other one is taken out of the way.
    const [alone] = sharing({ service: 'a', spec: { ...tcp(80), ...internal } });
    if (alone === undefined) throw new Error('there is one');
    expect(statusOf(aws, alone).waitsForOthers).not.to.equal(waiting.waitsForOthers);
  });
});
