/**
 * What holds a Service up: nothing, an object that somebody has to make or change (a pool, a provider), or that others have
 * what it wants, too. Who waits for an object isn't woken by claims: it may claim and let go again in each of its turns, and
 * two such Services would wake each other for ever.
 */
export type WaitsFor = 'nothing' | 'objects' | 'claims';

/** Several changes of pools and freed claims in a row wake those that wait once. */
const GATHER_MS = 50;

/** Services that something holds up which pools, providers or others' claims may mend. */
export class Waiting {
  readonly #wake: (key: string) => void;
  readonly #held = new Map<string, WaitsFor>();
  /** In the middle of a turn, with how often claims had been freed when it began. */
  readonly #turns = new Map<string, number>();
  #freed = 0;
  #timer: NodeJS.Timeout | undefined;
  /** For whom something was freed in the middle of their turn. */
  readonly #missed = new Set<string>();
  #due: 'missed' | 'claims' | 'all' = 'missed';

  constructor(wake: (key: string) => void) {
    this.#wake = wake;
  }

  /** A turn begins, before its first look at what there is to have: nothing that is freed later may be missed. */
  begin(key: string): void {
    this.#turns.set(key, this.#freed);
  }

  /** The turn is over. What was freed in the middle of it may have come after its look. */
  end(key: string, waitsFor: WaitsFor): void {
    const freedBefore = this.#turns.get(key);
    this.#turns.delete(key);
    if (waitsFor === 'nothing') this.#held.delete(key);
    else this.#held.set(key, waitsFor);
    if (waitsFor !== 'claims' || freedBefore === undefined || freedBefore === this.#freed) return;
    this.#missed.add(key);
    this.#schedule('missed');
  }

  /** Pools, providers or what carries them out changed: all look again. */
  objectsChanged(): void {
    if (this.#held.size + this.#turns.size > 0) this.#schedule('all');
  }

  /** Claims were let go: those look again that others' claims hold up. */
  freed(): void {
    this.#freed++;
    if (this.#held.size > 0) this.#schedule('claims');
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(whom: 'missed' | 'claims' | 'all'): void {
    if (whom === 'all' || this.#due === 'missed') this.#due = whom;
    this.#timer ??= setTimeout(() => {
      const due = this.#due;
      const keys = new Set(this.#missed);
      this.#due = 'missed';
      this.#timer = undefined;
      this.#missed.clear();
      for (const [key, waitsFor] of this.#held) {
        if (due === 'all' || (due === 'claims' && waitsFor === 'claims')) keys.add(key);
      }
      if (due === 'all') for (const key of this.#turns.keys()) keys.add(key);
      for (const key of keys) this.#wake(key);
    }, GATHER_MS);
  }
}
