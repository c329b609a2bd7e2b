import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeFailures, firstLines } from '../../../scripts/describe-failures.ts';
import { TOTALS_FILE } from '../../../scripts/totals-reporter.ts';

const root = process.cwd();

describe('scripts/describe-failures', () => {
  it('names every failure with its suite, full title, file and error', () => {
    const lines = describeFailures([
      { name: 'unit', failures: [] },
      {
        name: 'api',
        failures: [
          {
            title: 'pools give out',
            file: 'test/api/pools.test.ts',
            error: ['Error: no', 'at f (a.ts:1:2)'],
          },
          { title: 'did not end in time', error: [] },
        ],
      },
    ]);

    expect(lines).to.deep.equal([
      '=== failed',
      'api: pools give out',
      '  test/api/pools.test.ts',
      '    Error: no',
      '    at f (a.ts:1:2)',
      'api: did not end in time',
    ]);
  });

  it('names what passed when it was run again apart, and before what failed', () => {
    const failure = (title: string) => ({ title, error: ['Error: no'] });
    const lines = describeFailures([
      { name: 'api', failures: [failure('fails')], flaky: [failure('flickers')] },
    ]);

    expect(lines).to.deep.equal([
      '=== flaky: failed, and passed when run again',
      'api: flickers',
      '    Error: no',
      '=== failed',
      'api: fails',
      '    Error: no',
    ]);
  });

  it('says nothing of a run that went well', () => {
    expect(describeFailures([{ name: 'unit', failures: [] }])).to.deep.equal([]);
  });

  it('shortens an error that quotes whole objects', () => {
    const lines = firstLines('x'.repeat(1000), root);
    const many = firstLines(Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\n'), root);

    expect(lines[0]).to.have.length.below(500);
    expect(many).to.have.length.below(10);
    expect(many.at(-1)).to.equal('...');
  });

  it('says where in the project an error was thrown', () => {
    const [first, place] = firstLines(new Error('no'), root);

    expect(first).to.equal('Error: no');
    expect(place).to.match(/test\/unit\/scripts\/describe-failures\.test\.ts:\d+/);
  });

  it('hears of tests, hooks and skipped tests from mocha', function () {
    this.timeout(60_000);
    const dir = mkdtempSync(join(tmpdir(), 'fairlead-failures-'));
    try {
      const file = join(dir, 'sample.test.cjs');
      writeFileSync(
        file,
        `describe('outer', () => {
           it('fails', () => { throw new Error('one'); });
           it('passes', () => {});
           it.skip('is left out', () => {});
           describe('inner', () => { before(() => { throw new Error('two'); }); it('never ran', () => {}); });
         });`,
      );
      const totals = join(dir, 'totals.json');
      const args = ['--no-config', '--reporter', 'scripts/totals-reporter.ts', file];
      spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', ...args], {
        env: { ...process.env, [TOTALS_FILE]: totals },
      });

      const written = JSON.parse(readFileSync(totals, 'utf8'));

      expect(written).to.include({ passed: 1, failed: 3 });
      expect(written.failures.map((each: { title: string }) => each.title)).to.deep.equal([
        'outer fails',
        'outer is left out',
        'outer inner "before all" hook for "never ran"',
      ]);
      expect(written.failures[0].error[0]).to.equal('Error: one');
      expect(written.failures[2].file).to.contain('sample.test.cjs');
      expect('outer fails').to.match(new RegExp(written.failures[0].again));
      expect('outer fails more').not.to.match(new RegExp(written.failures[0].again));
      expect('outer inner never ran').to.match(new RegExp(written.failures[2].again));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
