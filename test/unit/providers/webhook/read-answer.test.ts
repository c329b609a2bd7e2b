import { expect } from 'chai';
import { ClassedError, type ErrorClass } from '../../../../kube/errors.ts';
import { type RawAnswer, readAnswer } from '../../../../providers/webhook/calls/read-answer.ts';
import { CONTRACT_VERSION, OPERATIONS } from '../../../../providers/webhook/contract.ts';

const URL_OF_PLAN = 'https://lb.example.com/v1/plan';

function failure(raw: RawAnswer): ClassedError {
  try {
    readAnswer(OPERATIONS.plan.answer, raw, URL_OF_PLAN);
  } catch (error) {
    if (error instanceof ClassedError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const ok = (body: unknown): RawAnswer => ({ code: 200, text: JSON.stringify(body) });
const refused = (code: number, body: object): RawAnswer => ({
  code,
  text: JSON.stringify({ apiVersion: CONTRACT_VERSION, ...body }),
});

describe('providers/webhook: what a server answers', () => {
  it('is taken by its schema, and fields that nobody knows are left out', () => {
    const body = {
      apiVersion: CONTRACT_VERSION,
      changes: [],
      state: { ingress: [{ ip: '2001:db8::1', weather: 'fine' }] },
      more: 1,
    };
    expect(readAnswer(OPERATIONS.plan.answer, ok(body), URL_OF_PLAN)).to.deep.equal({
      apiVersion: CONTRACT_VERSION,
      changes: [],
      state: { ingress: [{ ip: '2001:db8::1' }] },
    });
  });

  const state = (ingress: unknown[]) => ({ apiVersion: CONTRACT_VERSION, changes: [], state: { ingress } });
  const wrong: [name: string, body: unknown, said: string][] = [
    ['no state', { apiVersion: CONTRACT_VERSION, changes: [] }, 'state: '],
    ['changes that are a text', { ...state([]), changes: 'none' }, 'changes: '],
    ['an address that is none', state([{ ip: '192.0.2.300' }]), 'state.ingress[0].ip: is no IP address'],
    [
      'a name in capitals',
      state([{ hostname: 'LB.example.com' }]),
      'state.ingress[0].hostname: is no DNS name',
    ],
    [
      'neither address nor name',
      state([{ ip: '192.0.2.1' }, {}]),
      'state.ingress[1]: has neither ip nor hostname, or both',
    ],
    [
      'a reason of two words',
      {
        ...state([]),
        state: { ingress: [], notReady: { reason: 'not yet', message: 'soon' } },
      },
      'state.notReady.reason: is no CamelCase word',
    ],
    ['a list', [], 'expected object'],
    ['no version', { changes: [], state: { ingress: [] } }, 'apiVersion: '],
  ];
  for (const [name, body, said] of wrong) {
    it(`names the field of ${name}`, () => {
      const error = failure(ok(body));
      expect(error.message).to.contain(said).and.to.contain(URL_OF_PLAN);
      expect(error).to.include({ class: 'Transient', reason: 'BadAnswer' });
    });
  }

  it('names three fields of many', () => {
    const error = failure(ok(state([{ ip: 'a' }, { ip: 'b' }, { ip: 'c' }, { ip: 'd' }, { ip: 'e' }])));
    expect(error.message).to.contain('ingress[2].ip').and.to.contain('and 2 more');
    expect(error.message).to.not.contain('ingress[3]');
  });

  it('tells of another version which one is to be upgraded', () => {
    const newer = failure(ok({ apiVersion: 'provider.fairlead.dev/v2' }));
    const refusal = failure(
      refused(400, {
        apiVersion: 'provider.fairlead.dev/v2',
        reason: 'UnsupportedVersion',
        message: 'v1 is too old',
      }),
    );
    for (const error of [newer, refusal]) {
      expect(error).to.include({ class: 'Transient', reason: 'UnsupportedVersion' });
      expect(error.message).to.contain('provider.fairlead.dev/v2').and.to.contain(CONTRACT_VERSION);
    }
  });

  const errors: [code: number, errorClass: ErrorClass][] = [
    [400, 'Rejected'],
    [422, 'Rejected'],
    [401, 'Transient'],
    [403, 'Transient'],
    [404, 'NotFound'],
    [408, 'Transient'],
    [409, 'Conflict'],
    [429, 'Throttled'],
    [500, 'Transient'],
    [503, 'Transient'],
  ];
  for (const [code, errorClass] of errors) {
    it(`classes an error of the contract with ${code} as ${errorClass}, in the words of the server`, () => {
      const error = failure(refused(code, { reason: 'NoCapacity', message: 'The device is full.' }));
      expect(error).to.include({ class: errorClass, reason: 'NoCapacity', code });
      expect(error.message).to.equal('NoCapacity: The device is full.');
    });
  }

  it('waits as long as the server says, in the body or in the header', () => {
    const body = { reason: 'Busy', message: 'Later.' };
    expect(failure(refused(503, { ...body, retryAfterSeconds: 7 })).retryAfterSeconds).to.equal(7);
    expect(failure({ ...refused(429, body), retryAfter: '9' }).retryAfterSeconds).to.equal(9);
    expect(failure(refused(503, body)).retryAfterSeconds).to.equal(undefined);
  });

  const strangers: [raw: RawAnswer, said: string, errorClass: ErrorClass][] = [
    [{ code: 302, text: '' }, "isn't followed", 'Transient'],
    [{ code: 404, text: '<html>' }, 'is webhook.url the address of a server for Fairlead?', 'Transient'],
    [{ code: 502, text: '<h1>Bad\n Gateway</h1>' }, 'HTTP 502: <h1>Bad Gateway</h1>', 'Transient'],
    [{ code: 422, text: '{"error":"x"}' }, 'HTTP 422: {"error":"x"}', 'Transient'],
    [{ code: 429, text: '' }, 'HTTP 429, and no reason', 'Throttled'],
    [{ code: 200, text: 'hello' }, "it isn't JSON: hello", 'Transient'],
    [{ code: 204, text: '' }, 'HTTP 204', 'Transient'],
  ];
  for (const [raw, said, errorClass] of strangers) {
    it(`tells what came where ${raw.code} is not of the contract: ${said}`, () => {
      const error = failure(raw);
      expect(error.message).to.contain(said);
      expect(error.class).to.equal(errorClass);
    });
  }

  it('shows no more of a long page than its beginning', () => {
    expect(failure({ code: 500, text: 'x'.repeat(100_000) }).message.length).to.be.below(400);
  });
});
