import type { Owed } from './find-owed.ts';

/** Applications that the active unit has as they ought to be, and the device group doesn't. One synchronisation settles all. */
export class OwedSyncs {
  readonly #names = new Set<string>();
  #all = false;
  /** What a process before this one, or the unit that was active before, may have left behind was found out. */
  isKnown = false;

  has(name: string): boolean {
    return this.#all || this.#names.has(name);
  }

  /** The same, where what isn't known yet counts as owed: of what is to be gone for good. */
  mayHave(name: string): boolean {
    return !this.isKnown || this.has(name);
  }

  add(name: string): void {
    this.#names.add(name);
  }

  takeIn(owed: Owed): void {
    this.isKnown = true;
    if (owed === 'all') this.#all = true;
    else for (const name of owed) this.#names.add(name);
  }

  /** Another unit is active: what it owes the group is to be found out. */
  startAgain(): void {
    this.settle();
    this.isKnown = false;
  }

  /** The group has all. */
  settle(): void {
    this.isKnown = true;
    this.#all = false;
    this.#names.clear();
  }
}
