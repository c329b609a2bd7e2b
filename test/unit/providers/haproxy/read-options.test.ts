import { expect } from 'chai';
import { findIgnoredTls, readOptions } from '../../../../providers/haproxy/read-options.ts';

const SECRET = 'fairlead.dev/tls-secret';
const PORTS = 'fairlead.dev/tls-ports';

describe('providers/haproxy: what annotations say of TLS', () => {
  const good: [string, Record<string, string>, object][] = [
    ['one Secret, all ports', { [SECRET]: ' web-tls ' }, { secretNames: ['web-tls'] }],
    ['several, each once', { [SECRET]: 'a, b.c,a' }, { secretNames: ['a', 'b.c'] }],
    [
      'some ports',
      { [SECRET]: 'a', [PORTS]: 'https, 8443' },
      { secretNames: ['a'], ports: ['https', '8443'] },
    ],
    ['* for all of them', { [SECRET]: 'a', [PORTS]: 'https,*' }, { secretNames: ['a'] }],
  ];
  for (const [name, annotations, tls] of good) {
    it(`reads ${name}`, () => {
      expect(readOptions(annotations)).to.deep.equal({
        options: { haproxy: { tls } },
        invalid: [],
        ignored: [],
      });
    });
  }

  it('says nothing where nothing is said', () => {
    expect(readOptions({})).to.deep.equal({ options: {}, invalid: [], ignored: [] });
  });

  const bad: [string, string, Record<string, string>][] = [
    ['a Secret of another namespace', SECRET, { [SECRET]: 'other/web-tls' }],
    ['no Secret', SECRET, { [SECRET]: '' }],
    ['what is no name', SECRET, { [SECRET]: 'Web_tls' }],
    ['too many', SECRET, { [SECRET]: Array.from({ length: 17 }, (_, index) => `s${index}`).join(',') }],
    ['no port', PORTS, { [SECRET]: 'a', [PORTS]: ',' }],
    ['a port that is none', PORTS, { [SECRET]: 'a', [PORTS]: 'https 443' }],
  ];
  for (const [name, key, annotations] of bad) {
    it(`finds fault with ${name}, and decides nothing`, () => {
      const { invalid, options } = readOptions(annotations);
      expect(options).to.deep.equal({});
      expect(invalid.map(({ reason }) => reason)).to.deep.equal(['InvalidAnnotation']);
      expect(invalid[0]?.message).to.include(key);
    });
  }

  it('tells of ports without a certificate', () => {
    expect(readOptions({ [PORTS]: '443' }).ignored[0]?.message).to.include('No TLS is ended');
  });

  it('is told to who uses it with a provider that does not read it', () => {
    expect(findIgnoredTls({})).to.deep.equal([]);
    expect(findIgnoredTls({ [SECRET]: 'a' }).map(({ reason }) => reason)).to.deep.equal([
      'IgnoredAnnotation',
    ]);
  });
});
