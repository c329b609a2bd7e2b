import type { Outcome } from './station-protocol.ts';

/** Who answered, each once; for those that nobody answered, how they ended. */
export function byOf(outcomes: readonly Outcome[]): string[] {
  return distinct(outcomes.map((outcome) => (outcome.result === 'served' ? outcome.by : outcome.result)));
}

/** As whom the callers were seen, each once; for those that nobody answered, how they ended. */
export function fromOf(outcomes: readonly Outcome[]): string[] {
  return distinct(outcomes.map((outcome) => (outcome.result === 'served' ? outcome.from : outcome.result)));
}

/** Those that nobody answered. */
export function unserved(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ result }) => result !== 'served');
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
