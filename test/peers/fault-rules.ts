/** Makes calls go wrong that are as its filter says; `Filter` and `Fault` are the peer's own. */
export type FaultRule<Call, Filter, Fault> = Filter & {
  fault: Fault;
  /** Only the nth of the calls that match, counted from 1. */
  nth?: number;
  /** Only the first so many of the calls that match. */
  times?: number;
  /** Only this share of the calls that match, 0 to 1. */
  share?: number;
  when?: (call: Call) => boolean;
};

export interface InjectedFault {
  /** Calls that it struck. */
  readonly hits: number;
  remove(): void;
}

/** Rules in the order in which they were made; the first that strikes a call is the only one. */
export class FaultRules<Call, Filter, Fault> {
  readonly #rules = new Map<FaultRule<Call, Filter, Fault>, { seen: number; hits: number }>();
  readonly #random: () => number;
  readonly #matches: (call: Call, filter: Filter) => boolean;

  /** `random` in [0, 1), for shares. */
  constructor(random: () => number, matches: (call: Call, filter: Filter) => boolean) {
    this.#random = random;
    this.#matches = matches;
  }

  add(rule: FaultRule<Call, Filter, Fault>): InjectedFault {
    const state = { seen: 0, hits: 0 };
    this.#rules.set(rule, state);
    const rules = this.#rules;
    return {
      get hits() {
        return state.hits;
      },
      remove: () => void rules.delete(rule),
    };
  }

  clear(): void {
    this.#rules.clear();
  }

  strike(call: Call): Fault | undefined {
    for (const [rule, state] of this.#rules) {
      if (!this.#matches(call, rule) || rule.when?.(call) === false) continue;
      state.seen++;
      if (rule.nth !== undefined && state.seen !== rule.nth) continue;
      if (rule.times !== undefined && state.hits >= rule.times) continue;
      if (rule.share !== undefined && this.#random() >= rule.share) continue;
      state.hits++;
      return rule.fault;
    }
    return undefined;
  }
}
