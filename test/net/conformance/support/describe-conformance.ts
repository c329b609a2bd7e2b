import { expect } from 'chai';
import type { ProxyName } from '../../support/proxy-process.ts';
import type { Case } from './case.ts';
import { ConformanceLab } from './lab.ts';
import type { Family } from './places.ts';
import { type Findings, familiesOf, runCase } from './run-case.ts';
import { schedule } from './schedule.ts';

/** As many as keep two cores busy, most of the time being spent waiting for packets. */
const AT_ONCE = 8;

/**
 * Tests of cases by theme, in a cluster of these families. All run side by side from the start; each test waits for the
 * findings of its own.
 */
export function describeConformance(
  title: string,
  proxyName: ProxyName,
  families: readonly Family[],
  themes: readonly (readonly [theme: string, cases: readonly Case[]])[],
): void {
  describe(title, function () {
    this.timeout(600_000);
    const findings = new Map<string, Promise<Findings>>();
    let lab: ConformanceLab | undefined;

    before('start a cluster, and every case', async () => {
      const started = await ConformanceLab.start(proxyName, families);
      lab = started;
      const tasks = themes
        .flatMap(([, cases]) => cases)
        .map((subject, index) => ({ subject, run: () => runCase(subject, started, index + 1) }));
      const shared = tasks.filter(({ subject }) => !subject.exclusive);
      const alone = tasks.filter(({ subject }) => subject.exclusive);
      const running = schedule(
        shared.map(({ run }) => run),
        alone.map(({ run }) => run),
        AT_ONCE,
      );
      const promises = [...running.shared, ...running.alone];
      for (const [index, { subject }] of [...shared, ...alone].entries()) {
        const promise = promises[index];
        if (promise !== undefined) findings.set(subject.name, promise);
      }
    });

    after(async () => lab?.stop());

    for (const [theme, cases] of themes) {
      if (cases.length === 0) continue;
      describe(theme, () => {
        for (const subject of cases) {
          for (const family of familiesOf(subject, families)) {
            it(`${subject.name} (${family})`, async () => {
              const found = await findings.get(subject.name);
              expect(found?.[family].join('\n')).to.equal('');
            });
          }
        }
      });
    }
  });
}
