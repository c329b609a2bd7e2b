export interface Groups {
  groupOf: (key: string) => string;
  /** Keys of one group that are processed at once. */
  concurrency: number;
}

/** Keys of one group that wait, in the order in which they were added, with the time of that. */
interface Line {
  keys: Map<string, number>;
  /** Stands at the first. To begin anew each time is to pass over all that were taken: the engine keeps their places a while. */
  next: Iterator<[string, number]>;
}

/**
 * Keys that wait to be processed. Of several groups that one goes first of which the fewest keys are processed, so that
 * nobody waits behind the backlog of others; of those with as few, the one that has waited longest. Without groups it's a
 * plain queue.
 */
export class ReadyKeys {
  readonly #groups: Groups | undefined;
  readonly #lines = new Map<string, Line>();
  readonly #running = new Map<string, number>();
  /** Groups with keys that wait and room for one more, by how many of theirs are processed; the longest there first. */
  readonly #levels: Set<string>[] = [];
  #size = 0;

  constructor(groups: Groups | undefined) {
    this.#groups = groups;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether `take` has something to give. */
  get mayHaveNext(): boolean {
    return this.#levels.some((level) => level.size > 0);
  }

  has(key: string): boolean {
    return this.#lines.get(this.#groupOf(key))?.keys.has(key) === true;
  }

  add(key: string, addedAt: number): void {
    const group = this.#groupOf(key);
    const line = this.#lines.get(group);
    this.#size++;
    if (line !== undefined) {
      line.keys.set(key, addedAt);
      return;
    }
    const keys = new Map([[key, addedAt]]);
    this.#lines.set(group, { keys, next: keys.entries() });
    this.#enter(group);
  }

  clear(): void {
    this.#lines.clear();
    this.#levels.length = 0;
    this.#size = 0;
  }

  /** The next that may be processed; `finish` is to be called for it. */
  take(): { key: string; addedAt: number } | undefined {
    for (const level of this.#levels) {
      const [group] = level;
      if (group === undefined) continue;
      const line = this.#lines.get(group);
      const first = line?.next.next();
      if (line === undefined || first?.done !== false) throw new Error(`no key waits of group ${group}`);
      const [key, addedAt] = first.value;
      level.delete(group);
      line.keys.delete(key);
      if (line.keys.size === 0) this.#lines.delete(group);
      this.#size--;
      this.#running.set(group, this.#runningOf(group) + 1);
      this.#enter(group);
      return { key, addedAt };
    }
    return undefined;
  }

  finish(key: string): void {
    const group = this.#groupOf(key);
    this.#levels[this.#levelOf(group)]?.delete(group);
    const left = this.#runningOf(group) - 1;
    if (left <= 0) this.#running.delete(group);
    else this.#running.set(group, left);
    this.#enter(group);
  }

  /** At the end of its level, if it has a key that may be taken. */
  #enter(group: string): void {
    if (!this.#lines.has(group) || this.#runningOf(group) >= this.#limit) return;
    const at = this.#levelOf(group);
    while (this.#levels.length <= at) this.#levels.push(new Set());
    this.#levels[at]?.add(group);
  }

  #levelOf(group: string): number {
    return this.#groups === undefined ? 0 : this.#runningOf(group);
  }

  #runningOf(group: string): number {
    return this.#running.get(group) ?? 0;
  }

  get #limit(): number {
    return this.#groups?.concurrency ?? Number.POSITIVE_INFINITY;
  }

  #groupOf(key: string): string {
    return this.#groups?.groupOf(key) ?? '';
  }
}
