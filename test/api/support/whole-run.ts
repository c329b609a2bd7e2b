import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Suite, Test } from 'mocha';

/** Whether this run was of all these files (a pattern), and every test in them passed: then what they did is all there is. */
export function passedWholly(root: Suite, pattern: string): boolean {
  const wanted = globSync(pattern).map((file) => resolve(file));
  const suites = new Map<string, Suite[]>();
  for (const suite of root.suites) {
    const { file } = suite;
    if (file !== undefined) suites.set(file, [...(suites.get(file) ?? []), suite]);
  }
  return wanted.every((file) => {
    const tests = (suites.get(file) ?? []).flatMap(testsOf);
    return tests.length > 0 && tests.every(({ state }) => state === 'passed');
  });
}

function testsOf({ suites, tests }: Suite): Test[] {
  return [...tests, ...suites.flatMap(testsOf)];
}
