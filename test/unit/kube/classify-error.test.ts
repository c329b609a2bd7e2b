import { expect } from 'chai';
import { errorOfFailure, errorOfResponse, parseRetryAfter } from '../../../kube/classify-error.ts';
import { ClassedError, type ErrorClass, isClass } from '../../../kube/errors.ts';

function statusText(fields: object): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...fields });
}

const codes: [code: number, ErrorClass][] = [
  [400, 'Rejected'],
  [401, 'Transient'],
  [403, 'Rejected'],
  [404, 'NotFound'],
  [405, 'Rejected'],
  [408, 'Transient'],
  [409, 'Conflict'],
  [410, 'Expired'],
  [415, 'Rejected'],
  [422, 'Rejected'],
  [429, 'Throttled'],
  [500, 'Transient'],
  [502, 'Transient'],
  [503, 'Transient'],
  [504, 'Transient'],
];

describe('kube/classify-error', () => {
  for (const [code, expected] of codes) {
    it(`HTTP ${code} is ${expected}, with a Status and without`, () => {
      const text = statusText({ code, reason: 'Some', message: 'it says' });

      expect(errorOfResponse(code, text, undefined, 'GET /x').class).to.equal(expected);
      expect(errorOfResponse(code, '<html>', undefined, 'GET /x').class).to.equal(expected);
    });
  }

  it('takes reason and message from the Status, and says what was asked', () => {
    const text = statusText({ code: 409, reason: 'AlreadyExists', message: 'pods "a" already exists' });

    const error = errorOfResponse(409, text, undefined, 'POST /api/v1/pods');

    expect(error.reason).to.equal('AlreadyExists');
    expect(error.message).to.equal('POST /api/v1/pods: pods "a" already exists');
    expect(error.code).to.equal(409);
  });

  it('shows the beginning of an answer that a proxy wrote', () => {
    const error = errorOfResponse(502, `  Bad gateway ${'x'.repeat(9000)}`, undefined, 'GET /x');

    expect(error.message).to.match(/^GET \/x: HTTP 502: Bad gateway x+$/);
    expect(error.message.length).to.be.below(600);
    expect(error.reason).to.equal('ServerError');
  });

  it('takes a resourceVersion ahead of the server for expired: only listing helps', () => {
    const details = {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    };
    const text = statusText({ code: 504, reason: 'Timeout', message: 'Timeout: Too large', details });

    expect(errorOfResponse(504, text, undefined, 'GET /x').class).to.equal('Expired');
  });

  it('takes the uid of a dead namesake for a conflict, and other wrong fields beside it for a rejection', () => {
    const uid = { reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'field is immutable' };
    const other = { reason: 'FieldValueInvalid', field: 'spec.ports', message: 'bad' };
    const textOf = (...causes: object[]) => statusText({ code: 422, reason: 'Invalid', details: { causes } });

    expect(errorOfResponse(422, textOf(uid, uid), undefined, 'PATCH /x')).to.include({
      class: 'Conflict',
      reason: 'Conflict',
    });
    expect(errorOfResponse(422, textOf(uid, other), undefined, 'PATCH /x').class).to.equal('Rejected');
    expect(errorOfResponse(422, textOf(), undefined, 'PATCH /x').class).to.equal('Rejected');
  });

  it('reads Retry-After from the header, or else from the Status', () => {
    const text = statusText({ code: 429, details: { retryAfterSeconds: 7 } });

    expect(errorOfResponse(429, text, '3', 'GET /x').retryAfterSeconds).to.equal(3);
    expect(errorOfResponse(429, text, undefined, 'GET /x').retryAfterSeconds).to.equal(7);
    expect(errorOfResponse(429, 'busy', undefined, 'GET /x').retryAfterSeconds).to.equal(undefined);
  });

  it('reads Retry-After as seconds and as a date, never as less than nothing', () => {
    const now = Date.parse('Sat, 21 Nov 2026 10:00:00 GMT');

    expect(parseRetryAfter('12', now)).to.equal(12);
    expect(parseRetryAfter('Sat, 21 Nov 2026 10:00:30 GMT', now)).to.equal(30);
    expect(parseRetryAfter('Sat, 21 Nov 2026 09:00:00 GMT', now)).to.equal(0);
    expect(parseRetryAfter('soon', now)).to.equal(undefined);
  });

  const failures: [code: string, reason: string][] = [
    ['ECONNREFUSED', 'ConnectionRefused'],
    ['ECONNRESET', 'ConnectionLost'],
    ['UND_ERR_SOCKET', 'ConnectionLost'],
    ['UND_ERR_CONNECT_TIMEOUT', 'ConnectTimeout'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TlsFailed'],
    ['UND_ERR_DESTROYED', 'ClientClosed'],
    ['SOMETHING_NEW', 'RequestFailed'],
  ];
  for (const [code, reason] of failures) {
    it(`${code} is Transient, ${reason}`, () => {
      const cause = Object.assign(new Error('why'), { code });

      const error = errorOfFailure(cause, 'GET /x');

      expect([error.class, error.reason, error.cause]).to.deep.equal(['Transient', reason, cause]);
    });
  }

  it('reads the code of a failure to connect to any of several addresses', () => {
    const each = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

    expect(errorOfFailure(new AggregateError([each, each]), 'GET /x').reason).to.equal('ConnectionRefused');
  });

  it('lets an error pass that has a class already', () => {
    const error = new ClassedError('x', { class: 'Conflict', reason: 'Conflict' });

    expect(errorOfFailure(error, 'GET /x')).to.equal(error);
    expect(isClass(error, 'NotFound', 'Conflict')).to.equal(true);
    expect(isClass(error, 'NotFound')).to.equal(false);
    expect(isClass(error)).to.equal(true);
    expect(isClass(new Error('x'))).to.equal(false);
  });
});
