export interface Groups {
  groupOf: (key: string) => string;
  /** Keys of one group that are processed at once. */
  concurrency: number;
}

/**
 * Keys that wait to be processed, in the order in which they were added. A group that has its share of what is processed
 * waits aside, so that nobody queues up behind it.
 */
export class ReadyKeys {
  readonly #groups: Groups | undefined;
  /** With the time they were added. */
  readonly #inLine = new Map<string, number>();
  readonly #aside = new Map<string, Map<string, number>>();
  readonly #running = new Map<string, number>();
  /** Groups that have keys aside, and room. */
  readonly #freed = new Set<string>();
  #asideCount = 0;

  constructor(groups: Groups | undefined) {
    this.#groups = groups;
  }

  get size(): number {
    return this.#inLine.size + this.#asideCount;
  }

  /** Whether `take` is worth a try. */
  get mayHaveNext(): boolean {
    return this.#inLine.size > 0 || this.#freed.size > 0;
  }

  has(key: string): boolean {
    return this.#inLine.has(key) || this.#aside.get(this.#groupOf(key))?.has(key) === true;
  }

  add(key: string, addedAt: number): void {
    this.#inLine.set(key, addedAt);
  }

  clear(): void {
    this.#inLine.clear();
    this.#aside.clear();
    this.#freed.clear();
    this.#asideCount = 0;
  }

  /** The next that may be processed; `finish` is to be called for it. */
  take(): { key: string; addedAt: number } | undefined {
    return this.#takeFreed() ?? this.#takeInLine();
  }

  finish(key: string): void {
    const group = this.#groupOf(key);
    const left = (this.#running.get(group) ?? 1) - 1;
    if (left === 0) this.#running.delete(group);
    else this.#running.set(group, left);
    if (this.#aside.has(group)) this.#freed.add(group);
  }

  #takeFreed(): { key: string; addedAt: number } | undefined {
    for (const group of this.#freed) {
      const keys = this.#aside.get(group);
      const [first] = keys ?? [];
      if (keys === undefined || first === undefined || this.#isFull(group)) {
        this.#freed.delete(group);
        continue;
      }
      const [key, addedAt] = first;
      keys.delete(key);
      this.#asideCount--;
      if (keys.size === 0) this.#aside.delete(group);
      return this.#start(group, key, addedAt);
    }
    return undefined;
  }

  #takeInLine(): { key: string; addedAt: number } | undefined {
    for (const [key, addedAt] of this.#inLine) {
      this.#inLine.delete(key);
      const group = this.#groupOf(key);
      if (!this.#isFull(group)) return this.#start(group, key, addedAt);
      const keys = this.#aside.get(group);
      if (keys === undefined) this.#aside.set(group, new Map([[key, addedAt]]));
      else keys.set(key, addedAt);
      this.#asideCount++;
    }
    return undefined;
  }

  #start(group: string, key: string, addedAt: number): { key: string; addedAt: number } {
    this.#running.set(group, (this.#running.get(group) ?? 0) + 1);
    return { key, addedAt };
  }

  #isFull(group: string): boolean {
    return (this.#running.get(group) ?? 0) >= (this.#groups?.concurrency ?? Number.POSITIVE_INFINITY);
  }

  #groupOf(key: string): string {
    return this.#groups?.groupOf(key) ?? '';
  }
}
