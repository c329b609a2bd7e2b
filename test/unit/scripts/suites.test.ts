import { expect } from 'chai';
import { chooseSuites, SUITES, splitIntoLanes } from '../../../scripts/suites.ts';

const names = (...args: Parameters<typeof chooseSuites>) => chooseSuites(...args).map((suite) => suite.name);

describe('scripts/suites', () => {
  it('runs the required suites even when they have no tests, so that they fail', () => {
    expect(names([], () => false)).to.deep.equal(['check', 'unit', 'golden', 'api', 'net']);
  });

  it('runs the other suites once they have tests', () => {
    expect(names([], (files) => files.includes('/chaos/'))).to.deep.equal([
      'check',
      'unit',
      'golden',
      'api',
      'net',
      'chaos',
    ]);
  });

  it('runs only those named, in the usual order', () => {
    expect(names(['net', 'unit'])).to.deep.equal(['unit', 'net']);
  });

  it('runs what waits for the kernel beside what waits for an API server, each suite once', () => {
    const lanes = splitIntoLanes(SUITES).map((lane) => lane.map(({ name }) => name));

    expect(lanes).to.deep.equal([
      ['check', 'unit', 'golden', 'api', 'chaos'],
      ['net', 'e2e'],
    ]);
    expect(splitIntoLanes(chooseSuites(['net']))).to.have.length(1);
  });

  it('refuses a name that no suite has', () => {
    expect(() => chooseSuites(['units'])).to.throw('no suite units; there are check, unit');
  });
});
