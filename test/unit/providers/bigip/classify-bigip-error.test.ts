import { expect } from 'chai';
import { errorOfAnswer, errorOfCall } from '../../../../providers/bigip/calls/classify-bigip-error.ts';

const WHAT = 'POST /mgmt/shared/appsvcs/declare/t of 192.0.2.5';

function classed(code: number, body: unknown, what = WHAT) {
  const {
    class: errorClass,
    message,
    reason,
  } = errorOfAnswer(code, typeof body === 'string' ? body : JSON.stringify(body), what);
  return { errorClass, reason, message: message.slice(what.length) };
}

describe('providers/bigip/classify-bigip-error', () => {
  it("tells AS3's own words about a declaration", () => {
    expect(
      classed(422, {
        code: 422,
        message: 'declaration is invalid',
        errors: ["/t/a/pool: should have required property 'class'", '/t/a: no'],
      }),
    ).to.deep.equal({
      errorClass: 'Rejected',
      reason: 'DeclarationRefused',
      message:
        ": refused: declaration is invalid; /t/a/pool: should have required property 'class'; /t/a: no",
    });
    const results = [
      { code: 422, message: 'declaration failed', response: '01070333:3: taken', tenant: 't' },
    ];
    expect(classed(422, { results }).message).to.equal(': refused: declaration failed; 01070333:3: taken');
  });

  it('takes busy for what passes, and a page of Apache too', () => {
    const message = 'Error: Configuration operation in progress on device, please try again in 2 minutes.';
    expect(classed(503, { code: 503, message })).to.include({
      errorClass: 'Transient',
      reason: 'DeviceBusy',
    });
    expect(classed(503, '<html><title>restarting...</title></html>')).to.include({
      errorClass: 'Transient',
      reason: 'DeviceUnavailable',
    });
    expect(errorOfAnswer(503, '', WHAT).retryAfterSeconds).to.be.greaterThan(0);
  });

  it('tells what is missing on the device apart from what was never declared', () => {
    const info = 'GET /mgmt/shared/appsvcs/info of 192.0.2.5';
    expect(classed(404, '', info).reason).to.equal('As3NotInstalled');
    const message = 'Public URI path not registered: /shared/appsvcs/declare/t';
    expect(classed(404, { code: 404, message }).reason).to.equal('As3NotInstalled');
    expect(classed(404, { code: 404, message: 'specified Tenant(s) not found' })).to.include({
      errorClass: 'NotFound',
      reason: 'NotFound',
    });
  });

  it('tells what is wrong with the user', () => {
    expect(classed(401, { message: 'Authentication failed.' })).to.include({ reason: 'CredentialsRefused' });
    expect(classed(403, { message: 'Forbidden' })).to.include({
      errorClass: 'Transient',
      reason: 'Forbidden',
    });
    expect(classed(400, { message: 'user k8s has reached maximum active login tokens' })).to.include({
      errorClass: 'Throttled',
      reason: 'TooManyTokens',
    });
  });

  it('takes all else that the device could not do for what passes', () => {
    expect(classed(500, { message: 'declaration failed' })).to.include({ errorClass: 'Transient' });
    const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(errorOfCall(lost, WHAT)).to.include({ class: 'Transient', reason: 'ConnectionLost' });
  });

  it('keeps what an answer says short', () => {
    expect(classed(422, { message: 'x'.repeat(10_000) }).message.length).to.be.lessThan(600);
  });
});
