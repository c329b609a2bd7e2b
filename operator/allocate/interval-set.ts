/**
 * A set of whole numbers, kept as sorted intervals with a gap between any two. The lowest number that is missing from a
 * range is found by one binary search, however large the range and however full.
 */
export class IntervalSet {
  readonly #firsts: bigint[] = [];
  readonly #lasts: bigint[] = [];

  has(value: bigint): boolean {
    const index = this.#indexAt(value);
    return index >= 0 && value <= (this.#lasts[index] ?? -1n);
  }

  /** false when it was there already. */
  add(value: bigint): boolean {
    const index = this.#indexAt(value);
    const lastBefore = this.#lasts[index];
    if (lastBefore !== undefined && value <= lastBefore) return false;
    const joinsBefore = lastBefore !== undefined && lastBefore + 1n === value;
    const joinsAfter = this.#firsts[index + 1] === value + 1n;
    if (joinsBefore && joinsAfter) {
      this.#lasts.splice(index, 1);
      this.#firsts.splice(index + 1, 1);
    } else if (joinsBefore) this.#lasts[index] = value;
    else if (joinsAfter) this.#firsts[index + 1] = value;
    else {
      this.#firsts.splice(index + 1, 0, value);
      this.#lasts.splice(index + 1, 0, value);
    }
    return true;
  }

  /** false when it wasn't there. */
  delete(value: bigint): boolean {
    const index = this.#indexAt(value);
    const first = this.#firsts[index];
    const last = this.#lasts[index];
    if (first === undefined || last === undefined || value > last) return false;
    if (first === last) {
      this.#firsts.splice(index, 1);
      this.#lasts.splice(index, 1);
    } else if (value === first) this.#firsts[index] = value + 1n;
    else if (value === last) this.#lasts[index] = value - 1n;
    else {
      this.#firsts.splice(index + 1, 0, value + 1n);
      this.#lasts.splice(index, 0, value - 1n);
    }
    return true;
  }

  /** The lowest number from `from` on that isn't in the set. */
  firstMissing(from: bigint): bigint {
    const last = this.#lasts[this.#indexAt(from)];
    return last !== undefined && from <= last ? last + 1n : from;
  }

  /** How many numbers from `first` to `last` are in the set. */
  countBetween(first: bigint, last: bigint): bigint {
    let count = 0n;
    for (let index = Math.max(this.#indexAt(first), 0); index < this.#firsts.length; index++) {
      const from = this.#firsts[index] ?? 0n;
      const to = this.#lasts[index] ?? 0n;
      if (from > last) break;
      const low = from > first ? from : first;
      const high = to < last ? to : last;
      if (low <= high) count += high - low + 1n;
    }
    return count;
  }

  /** The index of the last interval that begins at or before `value`; -1 when none does. */
  #indexAt(value: bigint): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] ?? 0n) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
