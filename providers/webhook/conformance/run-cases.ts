import { ClassedError } from '../../../kube/errors.ts';
import { CASES, type Case } from './cases.ts';
import type { ConformanceConfig } from './config.ts';
import { Probe } from './probe.ts';

export interface CaseResult {
  name: string;
  /** undefined: the server keeps to it. */
  problem: string | undefined;
}

/** Every case, one after the other, each with what it made taken away. Ends with the first where nobody answers. */
export async function runCases(
  config: ConformanceConfig,
  tell: (result: CaseResult) => void,
  cases: readonly Case[] = CASES,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const each of cases) {
    const probe = new Probe(config);
    const violated = await attempt(() => each.run(probe));
    const left = await attempt(() => probe.clean());
    const problem =
      violated?.message ?? (left === undefined ? undefined : `what it made stays: ${left.message}`);
    await probe.close();
    const result = { name: each.name, problem };
    results.push(result);
    tell(result);
    if (violated !== undefined && isUnreachable(violated)) break;
  }
  return results;
}

async function attempt(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Every case would end so, and tell nothing new. */
function isUnreachable(error: Error): boolean {
  return error instanceof ClassedError && NOT_REACHED.has(error.reason);
}

const NOT_REACHED: ReadonlySet<string> = new Set([
  'ConnectionRefused',
  'ConnectTimeout',
  'NameNotResolved',
  'TlsFailed',
  'Unreachable',
]);
