import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import type { Ensured } from '../../../operator/reconcile/ensured.ts';
import { refusalToRetry, waitsFor } from '../../../operator/reconcile/what-holds-up.ts';
import { makeLoadBalancer } from '../plan/objects.ts';

const finding = (reason: string) => ({ reason, message: `${reason}.` });
const refusal = (message: string, code: number) =>
  new ClassedError(message, { class: 'Rejected', reason: code === 403 ? 'Forbidden' : 'Invalid', code });

const SERVED: Ensured = {
  outcome: {
    provider: 'edge',
    ports: { needed: false },
    addresses: { texts: [] },
    programmed: {},
    notes: [],
  },
  ingress: [],
  loadBalancer: makeLoadBalancer('edge'),
};

function withOutcome(outcome: Partial<Ensured['outcome']>, more: Partial<Ensured> = {}): Ensured {
  return { ...SERVED, ...more, outcome: { ...SERVED.outcome, ...outcome } };
}

const notThere = { loadBalancer: undefined };
const LACKS_ADDRESS = withOutcome({ addresses: { texts: [], finding: finding('AddressPoolExhausted') } });
const BY_QUOTA = refusal('POST /x: "web.edge" is forbidden: exceeded quota: q, requested: 1, used: 1', 403);
const refusedWrite = (failure: ClassedError) =>
  withOutcome({ refused: finding('SyncFailed') }, { ...notThere, failure });

describe('reconcile: what holds a Service up', () => {
  const cases: [string, Ensured[], ReturnType<typeof waitsFor>, boolean][] = [
    ['nothing is lacking', [SERVED], 'nothing', false],
    [
      'its provider is not there',
      [withOutcome({ refused: finding('ProviderNotFound') }, notThere)],
      'objects',
      false,
    ],
    ['no address is free', [LACKS_ADDRESS], 'claims', false],
    ['an address is free for one family only', [withOutcome({ notes: [finding('x')] })], 'claims', false],
    [
      'no port is free',
      [withOutcome({ ports: { needed: true, finding: finding('PortPoolExhausted') } }, notThere)],
      'claims',
      false,
    ],
    [
      'others of its namespace use up what its provider has for them',
      [withOutcome({ refused: finding('QuotaExceeded') }, notThere)],
      'claims',
      false,
    ],
    [
      'the API server refuses its node ports',
      [withOutcome({ ports: { needed: true, finding: finding('SyncFailed') } }, notThere)],
      'objects',
      false,
    ],
    ['a ResourceQuota is exhausted', [refusedWrite(BY_QUOTA)], 'objects', true],
    ['an admission policy is against it', [refusedWrite(refusal('no', 403))], 'objects', false],
    ['the API server calls it invalid', [refusedWrite(refusal('exceeded quota: no', 422))], 'objects', false],
    [
      'one lacks an address, and another may not be written',
      [LACKS_ADDRESS, refusedWrite(refusal('no', 403))],
      'objects',
      true,
    ],
    [
      'no address is free, and the provider refuses the rest',
      [{ ...LACKS_ADDRESS, failure: refusal('AccessDenied', 403) }],
      'claims',
      false,
    ],
  ];
  for (const [what, ensured, expected, retried] of cases) {
    it(`${what}: waits for ${expected}${retried ? ', and is tried again by and by' : ''}`, () => {
      expect(waitsFor(ensured)).to.equal(expected);
      const error = refusalToRetry(ensured);
      expect(error !== undefined).to.equal(retried);
      if (error !== undefined) expect(error.retryAfterSeconds).to.be.at.least(1);
    });
  }
});
