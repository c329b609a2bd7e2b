import { expect } from 'chai';
import { readProxyName } from '../support/proxy-process.ts';
import { CASES } from './cases/all.ts';
import { ConformanceLab } from './support/lab.ts';
import { FAMILIES } from './support/places.ts';
import { type Findings, runCase } from './support/run-case.ts';
import { schedule } from './support/schedule.ts';

/** As many as keep two cores busy, most of the time being spent waiting for packets. */
const AT_ONCE = 8;
const proxyName = readProxyName(process.env.PROXY || undefined);
/** Only those whose names contain it: for work on one case. */
const wanted = process.env.CASES ?? '';
const themes = Object.entries(CASES).map(
  ([theme, cases]) => [theme, cases.filter(({ name }) => `${theme} ${name}`.includes(wanted))] as const,
);

// All cases run side by side from the start; each test waits for the findings of its own.
describe(`conformance of ${proxyName}`, function () {
  this.timeout(300_000);
  const findings = new Map<string, Promise<Findings>>();
  let lab: ConformanceLab | undefined;

  before('start a cluster, and every case', async () => {
    const started = await ConformanceLab.start(proxyName);
    lab = started;
    const cases = themes.flatMap(([, cases]) => cases);
    const tasks = cases.map((subject, index) => ({
      subject,
      run: () => runCase(subject, started, index + 1),
    }));
    const [shared, alone] = [false, true].map((exclusive) =>
      tasks.filter(({ subject }) => (subject.exclusive ?? false) === exclusive),
    );
    const running = schedule(
      (shared ?? []).map(({ run }) => run),
      (alone ?? []).map(({ run }) => run),
      AT_ONCE,
    );
    const promises = [...running.shared, ...running.alone];
    for (const [index, { subject }] of [...(shared ?? []), ...(alone ?? [])].entries()) {
      const promise = promises[index];
      if (promise !== undefined) findings.set(subject.name, promise);
    }
  });

  after(async () => lab?.stop());

  for (const [theme, cases] of themes) {
    if (cases.length === 0) continue;
    describe(theme, () => {
      for (const subject of cases) {
        for (const family of subject.families ?? FAMILIES) {
          it(`${subject.name} (${family})`, async () => {
            const found = await findings.get(subject.name);
            expect(found?.[family].join('\n')).to.equal('');
          });
        }
      }
    });
  }
});
