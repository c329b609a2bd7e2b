import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { measureProvider } from '../../../operator/reconcile/measure-provider.ts';
import type { Provider, Subject } from '../../../providers/provider.ts';
import { makeProvider } from '../plan/objects.ts';

const SUBJECT: Subject = {
  id: { clusterId: 'c', namespace: 'n', name: 's.p', serviceUid: 'u' },
  provider: { name: 'p', spec: makeProvider('p').spec },
};
const { signal } = new AbortController();

describe('operator/reconcile/measure-provider', () => {
  function provider(observe: () => Promise<unknown>): Provider {
    return {
      type: 'announce',
      addressesFromPools: true,
      external: false,
      validate: () => [],
      build: () => undefined,
      observe,
      diff: () => [],
      apply: async () => {},
      status: () => ({ ingress: [] }),
    };
  }

  it('tells of calls that do I/O, with the class of the error that they threw, and changes none', async () => {
    const told: string[] = [];
    const throttled = new ClassedError('slow down', { class: 'Throttled', reason: 'TooManyRequests' });
    const answers: (() => Promise<unknown>)[] = [
      async () => 'observed',
      () => Promise.reject(throttled),
      () => Promise.reject(new Error('bug')),
    ];
    const measured = measureProvider(
      provider(async () => await answers.shift()?.()),
      (type, call, result, seconds) => told.push(`${type} ${call} ${result} ${seconds >= 0}`),
    );

    const first = await measured.observe(SUBJECT, undefined, signal);
    const second = await measured.observe(SUBJECT, undefined, signal).catch((error: unknown) => error);
    await measured.observe(SUBJECT, undefined, signal).catch(() => undefined);
    await measured.apply({ action: 'Create', resource: 'r', summary: 's' }, SUBJECT, signal);

    expect(first).to.equal('observed');
    expect(second).to.equal(throttled);
    expect(told).to.deep.equal([
      'announce observe ok true',
      'announce observe Throttled true',
      'announce observe Unclassed true',
      'announce apply ok true',
    ]);
  });
});
