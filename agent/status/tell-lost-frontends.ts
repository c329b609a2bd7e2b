import type { Conflict } from '../nftables/rule-book.ts';
import type { ServiceObserver } from '../service-observer.ts';
import { describeLostFrontends } from './describe-lost-frontends.ts';

/** Tells a Service once that another has what it claims, and again only after that was over. */
export class LostFrontendsTeller implements ServiceObserver {
  readonly #conflicts: () => readonly Conflict[];
  readonly #tell: (service: string, note: string) => void;
  #told = new Set<string>();

  constructor(conflicts: () => readonly Conflict[], tell: (service: string, note: string) => void) {
    this.#conflicts = conflicts;
    this.#tell = tell;
  }

  compiled(): void {}

  applied(): void {
    const told = new Set<string>();
    for (const { service, note } of describeLostFrontends(this.#conflicts())) {
      const key = `${service} ${note}`;
      told.add(key);
      if (!this.#told.has(key)) this.#tell(service, note);
    }
    this.#told = told;
  }
}
