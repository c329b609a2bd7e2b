import { NftError } from './run-nft.ts';

/**
 * Commits groups of ids, by owner, and finds those owners whose ids are refused: halves are tried until what is refused
 * is of one owner. One bad owner among n costs 2 log n transactions. Everything else is committed when this returns.
 * Throws what isn't a refusal.
 */
export async function isolateRefused(
  groups: ReadonlyMap<string, readonly string[]>,
  commit: (ids: string[]) => Promise<void>,
): Promise<Map<string, NftError>> {
  const refused = new Map<string, NftError>();
  const pending: [string, readonly string[]][][] = [[...groups]];
  for (let batch = pending.pop(); batch !== undefined; batch = pending.pop()) {
    if (batch.length === 0) continue;
    try {
      await commit(batch.flatMap(([, ids]) => ids));
    } catch (error) {
      if (!(error instanceof NftError) || error.failure === 'Unavailable') throw error;
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
