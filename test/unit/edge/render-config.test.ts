import { expect } from 'chai';
import fc from 'fast-check';
import type { ServedModel } from '../../../edge/model.ts';
import { renderConfig } from '../../../edge/render-config.ts';
import { makeFrontend, makeServer, makeService } from './models.ts';

const SETTINGS = { connectSeconds: 3, clientSeconds: 60, serverSeconds: 60, hardStopAfterSeconds: 600 };
const NOBODY = { user: undefined, tables: 'fairlead-test', certificates: '/run/certificates' };

function model(more: Parameters<typeof makeFrontend>[0] = {}): ServedModel {
  return { settings: SETTINGS, services: [makeService('default/a', { frontends: [makeFrontend(more)] })] };
}

describe('edge: the digest of a configuration', () => {
  it('is the same whatever the targets, so that they need no reload', () => {
    const { digest, text } = renderConfig(model(), NOBODY);
    const other = renderConfig(model({ servers: [makeServer('10.0.0.1')] }), NOBODY);
    expect(other.digest).to.equal(digest);
    expect(other.text).to.not.equal(text);
  });

  const changes: [string, Parameters<typeof makeFrontend>[0]][] = [
    ['an address', { addresses: ['192.0.2.9'] }],
    ['a port', { port: 81 }],
    ['a range', { sourceRanges: ['10.0.0.0/8'] }],
    ['affinity', { affinitySeconds: 60, balance: 'source' }],
    ['how targets are chosen', { balance: 'leastconn' }],
    ['how targets are checked', { server: { intervalSeconds: 9, rise: 2, fall: 2, proxyProtocol: 'None' } }],
    ['a limit', { connections: 7 }],
    ['TLS', { tls: { files: ['a.pem'], minimumVersion: 'TLSv1.2' } }],
  ];
  for (const [name, change] of changes) {
    it(`is another one for ${name}`, () => {
      expect(renderConfig(model(change), NOBODY).digest).to.not.equal(renderConfig(model(), NOBODY).digest);
    });
  }

  it('is another one for another user', () => {
    expect(renderConfig(model(), { ...NOBODY, user: 'haproxy' }).digest).to.not.equal(
      renderConfig(model(), NOBODY).digest,
    );
  });
});

describe('edge: the lines of a configuration', () => {
  it('know whose they are', () => {
    const services = ['default/a', 'default/b'].map((key) => makeService(key));
    const { owners, text } = renderConfig({ settings: SETTINGS, services }, NOBODY);
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      const owner = owners.get(index + 1);
      if (line.startsWith('listen ')) expect(line).to.equal(`listen ${owner?.replace('/', '.')}.80`);
      if (line.startsWith('global') || line.startsWith('defaults')) expect(owner).to.equal(undefined);
    }
    expect(new Set(owners.values())).to.have.keys('default/a', 'default/b');
  });

  it('are as many as ever, whatever a range or a path says', () => {
    const lines = (more: Parameters<typeof makeFrontend>[0]) =>
      renderConfig(model(more), NOBODY).text.split('\n').length;
    const server = { intervalSeconds: 2, rise: 2, fall: 2, proxyProtocol: 'None' as const };
    const usual = lines({ sourceRanges: ['10.0.0.0/8'], server: { ...server, healthPath: '/' } });
    fc.assert(
      fc.property(fc.string(), fc.string(), (range, path) => {
        expect(lines({ sourceRanges: [range], server: { ...server, healthPath: path } })).to.equal(usual);
      }),
    );
  });

  it('say all of 256 ranges, no more on a line than HAProxy takes', () => {
    const sourceRanges = Array.from({ length: 256 }, (_, index) => `10.${index}.0.0/16`);
    const { text } = renderConfig(model({ sourceRanges }), NOBODY);
    const said = text.split('\n').filter((line) => line.includes('acl allowed'));
    expect(said.flatMap((line) => line.trim().split(' ').slice(3))).to.deep.equal(sourceRanges);
    expect(Math.max(...said.map((line) => line.trim().split(' ').length))).to.be.lessThan(64);
  });
});
