import type { TrackedFrontend } from './collect-frontends.ts';

const NOBODY: ReadonlySet<string> = new Set();

/** Tells which frontends have somebody behind them that had nobody before. Keeps one text a Service. */
export class NewlyServed {
  readonly #served = new Map<string, string>();

  /** Sets the frontends of a Service; returns those that are new among the ones that are served. */
  put(owner: string, frontends: readonly TrackedFrontend[]): TrackedFrontend[] {
    const served = frontends.filter(({ endpoints }) => endpoints.size > 0);
    const before = new Set(this.#served.get(owner)?.split('\n'));
    if (served.length === 0) this.#served.delete(owner);
    else this.#served.set(owner, served.map(({ family, key }) => `${family} ${key}`).join('\n'));
    return served
      .filter(({ family, key }) => !before.has(`${family} ${key}`))
      .map((frontend) => ({ ...frontend, endpoints: NOBODY }));
  }
}
