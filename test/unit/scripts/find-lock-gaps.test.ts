import { expect } from 'chai';
import { findLockGaps } from '../../../scripts/find-lock-gaps.ts';

describe('scripts/find-lock-gaps', () => {
  it('finds nothing where every package is somewhere above the one that needs it', () => {
    const packages = {
      '': { dependencies: { a: '1' }, devDependencies: { '@s/b': '1' } },
      'node_modules/a': { dependencies: { c: '1', '@s/b': '1' } },
      'node_modules/a/node_modules/c': { optionalDependencies: { '@s/b': '1' } },
      'node_modules/@s/b': {},
    };
    expect(findLockGaps({ packages })).to.deep.equal([]);
  });

  it('names a package for another platform that was left out', () => {
    const packages = {
      '': { devDependencies: { tool: '1' } },
      'node_modules/tool': { optionalDependencies: { 'tool-linux': '1', 'tool-windows': '1' } },
      'node_modules/tool-linux': {},
    };
    expect(findLockGaps({ packages })).to.deep.equal(['tool-windows, which node_modules/tool needs']);
  });

  it('does not take a package nested in a sibling for one that can be reached', () => {
    const packages = {
      '': { dependencies: { a: '1', b: '1' } },
      'node_modules/a': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/b/node_modules/c': {},
    };
    expect(findLockGaps({ packages })).to.deep.equal(['c, which node_modules/a needs']);
  });
});
