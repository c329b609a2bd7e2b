import { expect } from 'chai';
import { CASES } from '../../net/conformance/cases/all.ts';
import { type Case, clusterIp, dropped, refused } from '../../net/conformance/support/case.ts';
import { P1A } from '../../net/conformance/support/places.ts';
import { renderLists } from '../../net/conformance/support/render-lists.ts';

const differs = { 'kube-proxy': { reason: 'drops it', expect: dropped } };
const probe = { from: P1A, to: clusterIp(), expect: refused(), differs };
const subject = (name: string): Case => ({ name, stages: [{ services: [], expect: [probe, probe] }] });

describe('lists of the conformance cases', () => {
  const themes = { 'some theme': [subject('1: one'), { ...subject('2: two'), families: ['IPv4'] as const }] };

  it('name each reason once, with the cases that meet it, and each case', () => {
    const text = renderLists(themes, []);

    expect(text.split('\n')).to.deep.equal([
      '## Differences',
      '',
      '### The agent, against kube-proxy and the behaviours',
      '',
      'None.',
      '',
      '### kube-proxy 1.36.3, against the behaviours',
      '',
      '- drops it. Met by:',
      '  - 1: one',
      '  - 2: two',
      '',
      '## Cases',
      '',
      '### Some theme',
      '',
      '- 1: one',
      '- 2: two (IPv4 alone)',
      '',
    ]);
  });

  it('name what is in no case, too', () => {
    const lines = renderLists(themes, ['takes no more than ten']).split('\n');
    expect(lines.slice(2, 6)).to.deep.equal([
      '### The agent, against kube-proxy and the behaviours',
      '',
      '- takes no more than ten',
      '',
    ]);
  });

  it('are of cases whose names are unique', () => {
    const names = Object.values(CASES).flatMap((cases) => cases.map(({ name }) => name));
    expect(names).to.have.length(new Set(names).size);
  });

  it('are of cases that show every behaviour from 1 to 24', () => {
    const names = Object.values(CASES).flatMap((cases) => cases.map(({ name }) => name));
    const shown = new Set(names.map((name) => Number.parseInt(name, 10)));
    expect(
      Array.from({ length: 24 }, (_, index) => index + 1).filter((each) => !shown.has(each)),
    ).to.deep.equal([]);
  });
});
