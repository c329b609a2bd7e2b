import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { renderLine } from '../../../kube/log.ts';

const NOW = new Date('2026-11-21T10:00:00.123Z');

describe('kube/log', () => {
  it('writes one line of JSON: time, level, event, then the fields', () => {
    expect(renderLine('info', 'Synced', { kind: 'Service', count: 3 }, NOW)).to.equal(
      '{"time":"2026-11-21T10:00:00.123Z","level":"info","event":"Synced","kind":"Service","count":3}',
    );
  });

  it('spells out a classed error with its cause, and spares its stack', () => {
    const error = new ClassedError('GET /x: gone', {
      class: 'NotFound',
      reason: 'NotFound',
      code: 404,
      cause: new Error('root'),
    });

    expect(JSON.parse(renderLine('warn', 'Failed', { error }, NOW)).error).to.deep.equal({
      class: 'NotFound',
      reason: 'NotFound',
      code: 404,
      name: 'ClassedError',
      message: 'GET /x: gone',
      cause: { name: 'Error', message: 'root' },
    });
  });

  it('gives the stack of an error that nobody expected', () => {
    const { error } = JSON.parse(renderLine('error', 'Failed', { error: new TypeError('oops') }, NOW));

    expect(error).to.include({ name: 'TypeError', message: 'oops' });
    expect(error.stack).to.include('log.test.ts');
  });

  it('writes a line for fields that JSON cannot hold', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;

    expect(JSON.parse(renderLine('info', 'Odd', circle, NOW)).unrenderable).to.include('circular');
    expect(JSON.parse(renderLine('info', 'Big', { n: 2n ** 70n }, NOW)).n).to.equal('1180591620717411303424');
  });

  it('does not follow a chain of causes for ever', () => {
    const error = new Error('loop');
    error.cause = error;

    expect(() => JSON.parse(renderLine('error', 'Loop', { error }, NOW))).not.to.throw();
  });
});
