import { type NftError, throwUnlessRefused } from './run-nft.ts';

/** Ids by whose they are. */
export type Groups = ReadonlyMap<string, readonly string[]>;

/**
 * Tries groups of ids, and finds those owners whose ids are refused: halves are tried until what is refused is of one
 * owner. One bad owner among n costs 2 log n tries. Throws what isn't a refusal.
 */
export async function isolateRefused(
  groups: Groups,
  attempt: (ids: string[]) => Promise<void>,
): Promise<Map<string, NftError>> {
  const refused = new Map<string, NftError>();
  const pending: [string, readonly string[]][][] = [[...groups]];
  for (let batch = pending.pop(); batch !== undefined; batch = pending.pop()) {
    if (batch.length === 0) continue;
    try {
      await attempt(batch.flatMap(([, ids]) => ids));
    } catch (error) {
      throwUnlessRefused(error);
      const [only, ...others] = batch;
      if (only !== undefined && others.length === 0) {
        refused.set(only[0], error);
      } else {
        const middle = Math.ceil(batch.length / 2);
        pending.push(batch.slice(middle), batch.slice(0, middle));
      }
    }
  }
  return refused;
}
