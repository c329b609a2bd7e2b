import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { isOlder } from '../../../kube/resource-versions.ts';
import { parseWatchLine } from '../../../kube/watch-events.ts';

function lineOf(type: string, object: unknown): string {
  return JSON.stringify({ type, object });
}

describe('kube/watch-events', () => {
  it('reads the three changes with their resourceVersion', () => {
    const object = { metadata: { name: 'a', resourceVersion: '7' } };

    for (const type of ['ADDED', 'MODIFIED', 'DELETED']) {
      expect(parseWatchLine(lineOf(type, object), 'w')).to.deep.equal({ type, object, resourceVersion: '7' });
    }
  });

  it('reads a bookmark, which has nothing but a resourceVersion', () => {
    const line = lineOf('BOOKMARK', { kind: 'Service', metadata: { resourceVersion: '9' } });

    expect(parseWatchLine(line, 'w')).to.deep.equal({ type: 'BOOKMARK', resourceVersion: '9' });
  });

  it('reads an ERROR event as the error of its Status', () => {
    const line = lineOf('ERROR', {
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version',
    });

    const event = parseWatchLine(line, 'watch services');

    if (event.type !== 'ERROR') throw new Error(`read as ${event.type}`);
    expect(event.error).to.include({ class: 'Expired', reason: 'Expired', code: 410 });
    expect(event.error.message).to.equal('watch services: too old resource version');
  });

  const bad = [
    'not json',
    '[]',
    'null',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":1}}}',
    '{"type":"NEWFANGLED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
  ];
  for (const line of bad) {
    it(`refuses ${line}`, () => {
      expect(() => parseWatchLine(line, 'w'))
        .to.throw(ClassedError)
        .with.property('reason', 'BadWatchLine');
    });
  }
});

describe('kube/resource-versions', () => {
  it('compares decimal versions of any length, and claims nothing of others', () => {
    expect(isOlder('9', '10')).to.equal(true);
    expect(isOlder('10', '9')).to.equal(false);
    expect(isOlder('99999999999999999998', '99999999999999999999')).to.equal(true);
    expect(isOlder('5', '5')).to.equal(false);
    expect(isOlder('a', 'b')).to.equal(false);
    expect(isOlder('0', '5')).to.equal(false);
  });
});
