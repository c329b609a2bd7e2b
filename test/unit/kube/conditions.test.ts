import { expect } from 'chai';
import { findCondition, LONGEST_MESSAGE, setCondition } from '../../../kube/conditions.ts';
import type { Condition } from '../../../kube/objects.ts';

const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';
const ready: Condition = { type: 'Ready', status: 'True', reason: 'Ok', message: '', lastTransitionTime: T1 };
const accepted: Condition = { ...ready, type: 'Accepted' };

describe('kube/conditions', () => {
  it('adds a condition of a new type at the end', () => {
    const result = setCondition(
      [accepted],
      { type: 'Ready', status: 'False', reason: 'No', message: 'm' },
      T2,
    );

    expect(result.map((each) => each.type)).to.deep.equal(['Accepted', 'Ready']);
    expect(findCondition(result, 'Ready')?.lastTransitionTime).to.equal(T2);
  });

  it('keeps lastTransitionTime while the status stays, whatever else changes', () => {
    const input = {
      type: 'Ready',
      status: 'True',
      reason: 'Other',
      message: 'new',
      observedGeneration: 7,
    } as const;

    const [condition] = setCondition([ready], input, T2);

    expect(condition).to.deep.equal({ ...input, lastTransitionTime: T1 });
  });

  it('moves lastTransitionTime when the status changes', () => {
    const [condition] = setCondition(
      [ready],
      { type: 'Ready', status: 'Unknown', reason: 'R', message: '' },
      T2,
    );

    expect(condition?.lastTransitionTime).to.equal(T2);
  });

  it('keeps the order, and leaves the array that it was given alone', () => {
    const before = Object.freeze([ready, accepted]);

    const after = setCondition(before, { type: 'Ready', status: 'False', reason: 'R', message: '' }, T2);

    expect(after.map((each) => each.type)).to.deep.equal(['Ready', 'Accepted']);
    expect(before[0]?.status).to.equal('True');
  });

  it('cuts a message that the API server would refuse, but no character in two', () => {
    const message = `${'x'.repeat(LONGEST_MESSAGE - 2)}🚢 and more`;

    const [condition] = setCondition(undefined, { type: 'Ready', status: 'True', reason: 'R', message }, T1);

    expect(condition?.message.length).to.be.at.most(LONGEST_MESSAGE);
    expect(condition?.message.isWellFormed()).to.equal(true);
    expect(condition?.message.endsWith('x…')).to.equal(true);
  });

  it('reads a status that has no conditions yet', () => {
    expect(findCondition(undefined, 'Ready')).to.equal(undefined);
    expect(findCondition(null, 'Ready')).to.equal(undefined);
  });
});
