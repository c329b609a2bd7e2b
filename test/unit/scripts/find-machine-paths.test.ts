import { expect } from 'chai';
import { findMachinePaths } from '../../../scripts/find-machine-paths.ts';

// Put together here, so that this file itself names none.
const HOME = ['', 'home', 'ada'].join('/');
const MAC_HOME = ['', 'Users', 'ada'].join('/');

describe('scripts/find-machine-paths', () => {
  it('finds the folders asked for, with their line', () => {
    expect(findMachinePaths('one\nsee /srv/tree/README.md', ['/srv/tree/'])).to.deep.equal([
      { line: 2, path: '/srv/tree' },
    ]);
  });

  it('finds homes of people on Linux and macOS', () => {
    const found = findMachinePaths(`cd ${HOME}/x ${MAC_HOME}/y`, []);
    expect(found.map(({ path }) => path)).to.deep.equal([HOME, MAC_HOME]);
  });

  const harmless = [
    '$HOME/.cache',
    'https://example.com/home/page',
    '/home/node/app',
    '/root/x',
    '{{dir}}/home/x',
  ];
  for (const text of harmless) {
    it(`lets ${text} pass`, () => {
      expect(findMachinePaths(text, ['/root'])).to.deep.equal([]);
    });
  }
});
