import { isRecord } from '../../../kube/classify-error.ts';

/** How long AWS may take until everybody there knows of something new. */
const UNTIL_KNOWN_MS = 60_000;

/** ARNs and ids of what was made of late: AWS may say for a moment that there's no such thing. */
export class RecentlyMade {
  readonly #madeAt = new Map<string, number>();
  readonly #now: () => number;

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** What AWS answered to a call that makes something; returns the ids in it. */
  add(answer: unknown): string[] {
    const now = this.#now();
    for (const [id, madeAt] of this.#madeAt) {
      if (now - madeAt < UNTIL_KNOWN_MS) break;
      this.#madeAt.delete(id);
    }
    const ids = [...idsIn(answer)];
    for (const id of ids) {
      this.#madeAt.delete(id);
      this.#madeAt.set(id, now);
    }
    return ids;
  }

  hasAnyOf(input: unknown): boolean {
    const now = this.#now();
    for (const id of idsIn(input)) {
      const madeAt = this.#madeAt.get(id);
      if (madeAt !== undefined && now - madeAt < UNTIL_KNOWN_MS) return true;
    }
    return false;
  }
}

function* idsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (/^(arn:|sg-)/.test(value)) yield value;
  } else if (Array.isArray(value)) {
    for (const each of value) yield* idsIn(each);
  } else if (isRecord(value)) {
    for (const each of Object.values(value)) yield* idsIn(each);
  }
}
