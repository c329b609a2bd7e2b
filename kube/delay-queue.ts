interface Entry {
  key: string;
  dueAt: number;
}

/** setTimeout takes no more than this, some 24 days; longer delays are waited for in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Keys with a time each, the earliest that was asked for; one timer for all, a binary heap behind it. */
export class DelayQueue {
  readonly #onDue: (key: string) => void;
  readonly #dueAt = new Map<string, number>();
  /** May hold entries that an earlier time for the same key replaced: those don't match `#dueAt` any more. */
  #heap: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(onDue: (key: string) => void) {
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#dueAt.size;
  }

  add(key: string, ms: number): void {
    const dueAt = performance.now() + ms;
    const known = this.#dueAt.get(key);
    if (known !== undefined && known <= dueAt) return;
    this.#dueAt.set(key, dueAt);
    this.#push({ key, dueAt });
    this.#arm();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#dueAt.clear();
    this.#heap = [];
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = first.dueAt;
    const ms = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(first.dueAt - performance.now())));
    this.#timer = setTimeout(() => this.#fire(), ms);
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const due: string[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#dueAt.get(first.key) !== first.dueAt) continue;
      this.#dueAt.delete(first.key);
      due.push(first.key);
    }
    this.#arm();
    for (const key of due) this.#onDue(key);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || parent.dueAt <= entry.dueAt) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      const left = heap[childAt];
      if (left === undefined) break;
      const right = heap[childAt + 1];
      const child = right !== undefined && right.dueAt < left.dueAt ? right : left;
      if (child === right) childAt++;
      if (child.dueAt >= last.dueAt) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}
