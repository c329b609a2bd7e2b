import type { Failure } from './describe-failures.ts';
import type { Suite } from './suites.ts';
import type { SuiteResult } from './sum-results.ts';

/** More than that at once isn't chance. */
const MOST_FAILURES = 3;

/**
 * The --grep by which what failed in a suite is run once more, in a process of its own. Undefined when it is not: pure
 * stages have no chance in them, a run that died or hung tells of more than its tests, and many failures aren't chance.
 */
export function chooseRerun(suite: Suite, { failures, problem }: SuiteResult): string | undefined {
  if ('steps' in suite || !(suite.isolated || suite.needsControlPlane)) return undefined;
  if (problem !== undefined || failures.length === 0 || failures.length > MOST_FAILURES) return undefined;
  const patterns = failures.flatMap(({ again }) => again ?? []);
  return patterns.length === failures.length ? patterns.join('|') : undefined;
}

/** What a suite came to, when what failed in it ran `again`: what passed then is flaky, and is told as such. */
export function mergeRerun(first: SuiteResult, again: SuiteResult): SuiteResult {
  const failsAgain = ({ title }: Failure) => again.failures.some((failure) => failure.title === title);
  const failures = first.failures.filter(failsAgain);
  const flaky = first.failures.filter((failure) => !failsAgain(failure));
  const seconds = first.seconds + again.seconds;
  // It may have died before it came to one of them.
  if (again.passed < flaky.length) return { ...first, seconds };
  return {
    name: first.name,
    seconds,
    passed: first.passed + again.passed,
    failed: failures.length,
    failures,
    flaky,
  };
}
