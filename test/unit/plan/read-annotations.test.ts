import { expect } from 'chai';
import fc from 'fast-check';
import { readAnnotations } from '../../../operator/plan/read-annotations.ts';

const read = (annotations: Record<string, string>) =>
  readAnnotations({ metadata: { name: 'web', annotations } });
const readOne = (key: string, value: string) => read({ [`fairlead.dev/${key}`]: value });

const good: [key: string, value: string, wishes: object][] = [
  ['address', '192.0.2.1', { addresses: ['192.0.2.1'] }],
  ['address', ' 192.0.2.1 , 2001:db8::1', { addresses: ['192.0.2.1', '2001:db8::1'] }],
  ['address-pool', 'one, two.example', { addressPools: ['one', 'two.example'] }],
  ['shared-address', 'Front_1.a', { sharedAddress: 'Front_1.a' }],
  ['scheme', 'Internal', { scheme: 'Internal' }],
  ['providers', 'a,b,a', { providers: ['a', 'b'] }],
  ['show-providers', 'All', { showProviders: 'All' }],
  ['port-pool', 'ports', { portPool: 'ports' }],
  ['health-check-path', '/healthz?full=1', { healthCheckPath: '/healthz?full=1' }],
  ['tls-secret', 'web-tls', {}],
  ['tls-ports', 'https', {}],
  ['paused', 'true', { paused: true }],
  ['paused', 'false', { paused: false }],
];

const bad: [key: string, value: string][] = [
  ['address', ''],
  ['address', 'here'],
  ['address', '192.0.2.1/32'],
  ['address-pool', ','],
  ['address-pool', 'Upper'],
  ['shared-address', ''],
  ['shared-address', 'a b'],
  ['shared-address', 'x'.repeat(64)],
  ['scheme', 'internal'],
  ['providers', ''],
  ['providers', 'a b'],
  ['show-providers', 'all'],
  ['port-pool', 'a,b'],
  ['health-check-path', 'healthz'],
  ['health-check-path', '/a b'],
  ['paused', 'yes'],
  ['paused', ''],
];

describe('plan/read-annotations', () => {
  for (const [key, value, wishes] of good) {
    it(`reads ${key}: ${JSON.stringify(value)}`, () => {
      expect(readOne(key, value)).to.deep.equal({
        wishes: { paused: false, ...wishes },
        invalid: [],
        unknown: [],
      });
    });
  }

  for (const [key, value] of bad) {
    it(`finds fault with ${key}: ${JSON.stringify(value.slice(0, 20))}, and says what would be right`, () => {
      const { invalid, unknown } = readOne(key, value);
      expect(unknown).to.deep.equal([]);
      expect(invalid).to.have.length(1);
      expect(invalid[0]).to.include({ reason: 'InvalidAnnotation' });
      expect(invalid[0]?.message).to.match(
        new RegExp(`^The annotation fairlead.dev/${key} is .*ought to be `),
      );
    });
  }

  it('tells of keys that nobody reads, and not of those of others', () => {
    const { unknown, invalid } = read({
      'fairlead.dev/adress': '192.0.2.1',
      'fairlead.dev/toString': '1',
      'example.com/address': '1',
      'notfairlead.dev/address': '1',
    });
    expect(invalid).to.deep.equal([]);
    expect(unknown.map(({ reason }) => reason)).to.deep.equal(['UnknownAnnotation', 'UnknownAnnotation']);
  });

  it('does not repeat a long value in full', () => {
    expect(readOne('scheme', 'x'.repeat(100_000)).invalid[0]?.message.length).to.be.below(400);
  });

  it('never throws, whatever the annotations are', () => {
    const keys = fc.oneof(
      fc.string().map((name) => `fairlead.dev/${name}`),
      fc.constantFrom(...good.map(([key]) => `fairlead.dev/${key}`)),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.string({ unit: 'binary' })), (annotations) => {
        const { invalid, unknown } = read(annotations);
        const ours = Object.keys(annotations).filter((key) => key.startsWith('fairlead.dev/'));
        expect(invalid.length + unknown.length).to.be.at.most(ours.length);
      }),
    );
  });
});
