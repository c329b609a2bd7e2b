import type { Entry } from './model.ts';

/** What the model held at one moment, while it goes on changing: only what changes meanwhile is kept twice. */
export class ModelSnapshot {
  /** Of all entries that there were. */
  readonly ids: readonly string[];
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #before = new Map<string, Entry | undefined>();
  #isOvertaken = false;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
    this.ids = [...entries.keys()];
  }

  /** Everything has been written anew since. */
  get isOvertaken(): boolean {
    return this.#isOvertaken;
  }

  get(id: string): Entry | undefined {
    return this.#before.has(id) ? this.#before.get(id) : this.#entries.get(id);
  }

  /** To be called before what is held under an id changes. */
  keep(id: string): void {
    if (!this.#isOvertaken && !this.#before.has(id)) this.#before.set(id, this.#entries.get(id));
  }

  /** To be called when others take the place of all entries. */
  overtake(): void {
    this.#isOvertaken = true;
  }
}
