/** Every call to a peer in order, from the start or the last reset. `Filter` is the peer's own. */
export class CallLog<Call, Filter> {
  #calls: Call[] = [];
  readonly #matches: (call: Call, filter: Filter) => boolean;

  constructor(matches: (call: Call, filter: Filter) => boolean) {
    this.#matches = matches;
  }

  get all(): readonly Call[] {
    return this.#calls;
  }

  add(call: Call): void {
    this.#calls.push(call);
  }

  reset(): void {
    this.#calls = [];
  }

  /** Without a filter, all. */
  matching(filter?: Filter): Call[] {
    return this.#calls.filter((call) => filter === undefined || this.#matches(call, filter));
  }

  count(filter?: Filter): number {
    return this.matching(filter).length;
  }
}
