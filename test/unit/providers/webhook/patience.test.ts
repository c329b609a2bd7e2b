import { expect } from 'chai';
import { ClassedError, type ErrorClass } from '../../../../kube/errors.ts';
import { Patience } from '../../../../providers/webhook/patience.ts';

const ID = { clusterId: 'c', namespace: 'n', name: 'web.own', serviceUid: 'u' };

describe('providers/webhook: patience with a load balancer', () => {
  let now: number;
  let patience: Patience;

  beforeEach(() => {
    now = 0;
    patience = new Patience(() => now);
  });

  const said = (errorClass: ErrorClass, code: number, retryAfterSeconds?: number) =>
    new ClassedError('Busy: Later.', { class: errorClass, code, reason: 'Busy', retryAfterSeconds });
  const asks = (id = ID, wanted = 'this') => {
    try {
      patience.check(id, wanted);
      return 'asks';
    } catch (error) {
      if (!(error instanceof ClassedError)) throw error;
      return `${error.class} ${error.code} ${error.message} ${error.retryAfterSeconds}`;
    }
  };

  it('lasts as long as the server said, and says the same meanwhile', () => {
    patience.note(ID, 'this', said('Throttled', 429, 10));
    expect(asks()).to.equal('Throttled 429 Busy: Later. 10');
    now = 9_000;
    expect(asks()).to.equal('Throttled 429 Busy: Later. 1');
    now = 10_000;
    expect(asks()).to.equal('asks');
  });

  it('is with that load balancer, and with what was wanted then', () => {
    patience.note(ID, 'this', said('Transient', 503, 10));
    expect(asks({ ...ID, namespace: 'm' })).to.equal('asks');
    expect(asks(ID, 'that')).to.equal('asks');
    expect(asks()).to.equal('asks');
    patience.note(ID, 'this', said('Transient', 503, 10));
    patience.forget(ID);
    expect(asks()).to.equal('asks');
  });

  it('has no part in what people have to mend, nor where the server says nothing of time', () => {
    patience.note(ID, 'this', said('Transient', 503));
    patience.note(ID, 'this', said('Transient', 401, 60));
    patience.note(ID, 'this', said('Rejected', 422, 60));
    patience.note(ID, 'this', new Error('Busy'));
    expect(asks()).to.equal('asks');
  });
});
