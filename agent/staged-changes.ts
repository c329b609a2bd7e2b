/**
 * What is to be acted on once it is in the kernel, by Service: it is set when the Service is compiled, taken when it is about
 * to be written, and handed out when that went through.
 */
export class StagedChanges<T> {
  readonly #set = new Map<string, T>();
  readonly #taken = new Map<string, T>();

  has(key: string): boolean {
    return this.#set.has(key) || this.#taken.has(key);
  }

  set(key: string, value: T): void {
    this.#set.set(key, value);
  }

  take(): void {
    for (const [key, value] of this.#set) this.#taken.set(key, value);
    this.#set.clear();
  }

  /** All that isn't handed out yet. */
  values(): T[] {
    return [...this.#set.values(), ...this.#taken.values()];
  }

  /** What was taken, each Service's last. */
  handOut(): [string, T][] {
    const all = [...this.#taken];
    this.#taken.clear();
    return all;
  }
}
