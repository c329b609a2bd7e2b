import { expect } from 'chai';
import fc from 'fast-check';
import { LineSplitter } from '../../../kube/split-lines.ts';

function split(chunks: Buffer[]): string[] {
  const splitter = new LineSplitter();
  return chunks.flatMap((chunk) => [...splitter.push(chunk)]);
}

describe('kube/split-lines', () => {
  it('gives the same lines wherever the stream is cut, inside characters too', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll('\n', ' '));
    const lines = fc.array(line, { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(2000), { maxLength: 30 }), (expected, cuts) => {
        const bytes = Buffer.from(expected.map((each) => `${each}\n`).join(''), 'utf8');
        const borders = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
        const chunks = [0, ...borders].map((from, index) =>
          bytes.subarray(from, borders[index] ?? bytes.length),
        );

        expect(split(chunks)).to.deep.equal(expected);
      }),
    );
  });

  it('keeps a character together that comes byte by byte', () => {
    const bytes = Buffer.from('{"name":"höhe 🚢"}\n');

    expect(split([...bytes].map((byte) => Buffer.from([byte])))).to.deep.equal(['{"name":"höhe 🚢"}']);
  });

  it('leaves out empty lines, and a last line that was cut short', () => {
    expect(split([Buffer.from('a\n\n\nb\nhalf')])).to.deep.equal(['a', 'b']);
  });

  it('refuses to gather a line without end', () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');

    const pushMany = () => {
      for (let i = 0; i < 5; i++) [...splitter.push(chunk)];
    };

    expect(pushMany).to.throw('a line of more than');
  });
});
