/** What the tests of this process needed of Fairlead's policy, to be compared with the whole of it once all of them ran. */
const needed = new Set<string>();

export function noteGranted(action: string, sids: readonly string[]): void {
  const [sid, ...others] = sids;
  // What two statements allow, neither of them is needed for.
  if (sid !== undefined && others.length === 0) needed.add(`${sid}: ${action}`);
}

/** `Sid: action` of each right without which some call would have been refused. */
export function neededGrants(): ReadonlySet<string> {
  return needed;
}
