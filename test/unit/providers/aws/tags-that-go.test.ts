import { expect } from 'chai';
import fc from 'fast-check';
import { isRecorded, withRecord } from '../../../../providers/aws/tag-record.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import { AwsPicture } from './support/aws-picture.ts';
import { converge } from './support/converge.ts';
import { desiredWith, NETWORK } from './support/desired.ts';

const tagged = (tags: Record<string, string> | undefined) =>
  desiredWith(tags === undefined ? {} : { aws: { tags } });

/** The tags of everything that has some. */
function allTags({ loadBalancers, securityGroup, targetGroups }: AwsPicture): Record<string, string>[] {
  const listeners = loadBalancers.flatMap((each) => each.listeners);
  const groups = securityGroup === undefined ? [] : [securityGroup];
  return [...loadBalancers, ...listeners, ...targetGroups, ...groups].map(({ tags }) => tags);
}

describe('providers/aws: tags that nobody asks for any more', () => {
  let aws: AwsPicture;
  beforeEach(() => {
    aws = new AwsPicture(NETWORK);
  });

  it('go from everything, and others come in their place', () => {
    converge(aws, tagged({ team: 'a', env: 'prod' }));
    expect(allTags(aws)).to.have.length(4);
    for (const tags of allTags(aws)) expect(tags).to.include({ team: 'a', env: 'prod' });
    converge(aws, tagged({ env: 'test', cost: '7' }));
    for (const tags of allTags(aws)) {
      expect(tags).to.include({ env: 'test', cost: '7' });
      expect(tags).to.not.have.property('team');
    }
  });

  it('go with the record of them when none is asked for', () => {
    converge(aws, tagged({ team: 'a' }));
    converge(aws, tagged(undefined));
    for (const tags of allTags(aws)) expect(tags).to.not.have.any.keys('team', OWNER_TAGS.tags);
    expect(converge(aws, tagged(undefined))).to.deep.equal([]);
  });

  it('stay where somebody else set them', () => {
    converge(aws, tagged({ team: 'a' }));
    for (const tags of allTags(aws)) tags.theirs = 'x';
    expect(converge(aws, tagged({ team: 'a' }))).to.deep.equal([]);
    converge(aws, tagged(undefined));
    for (const tags of allTags(aws)) expect(tags).to.include({ theirs: 'x' }).and.not.have.property('team');
  });

  it('go though it is cut off after any of its changes', () => {
    for (const cut of [0, 1, 2, 3, 4, 5, 6, 7]) {
      aws = new AwsPicture(NETWORK);
      converge(aws, tagged({ team: 'a', env: 'prod' }));
      converge(aws, tagged({ env: 'test' }), { cutAfter: (turn) => (turn === 0 ? cut : undefined) });
      for (const tags of allTags(aws)) expect(tags).to.include({ env: 'test' }).and.not.have.property('team');
    }
  });
});

describe('providers/aws/tag-record', () => {
  const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 128 }), { maxLength: 43 });

  it('knows each of them again, in a value that AWS takes, and of others next to none', () => {
    fc.assert(
      fc.property(keys, fc.string({ minLength: 1 }), (some, other) => {
        const tags = withRecord(Object.fromEntries(some.map((key) => [key, 'x'])));
        expect(some.every((key) => isRecorded(tags, key))).to.equal(true);
        expect(tags[OWNER_TAGS.tags] ?? '').to.match(/^[A-Za-z0-9+/]{0,256}$/);
        if (!some.includes(other)) expect(isRecorded(tags, other)).to.equal(false);
      }),
    );
  });

  it('is none where there are no tags', () => {
    expect(withRecord({})).to.deep.equal({});
    expect(isRecorded({ team: 'a' }, 'team')).to.equal(false);
  });
});
