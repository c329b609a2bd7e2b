import type { Family } from '../endpoints/canonical-address.ts';
import { frontendKey, type TrackedFrontend } from './collect-frontends.ts';
import type { Flow } from './parse-flow.ts';

/**
 * Knows which frontends have somebody behind them since flows were last looked at, and had nobody before: what was dialled
 * there until then went through untranslated. Keeps one text a Service.
 */
export class NewlyServed {
  readonly #served = new Map<string, string>();
  /** Family and frontend. */
  #since = new Set<string>();
  /** The same, for the look that is going on. */
  #looking = new Set<string>();

  /** Sets the frontends of a Service; none removes it. */
  put(owner: string, frontends: readonly TrackedFrontend[]): void {
    const served = frontends
      .filter(({ endpoints }) => endpoints.size > 0)
      .map(({ family, key }) => `${family} ${key}`);
    const before = new Set(this.#served.get(owner)?.split('\n'));
    if (served.length === 0) this.#served.delete(owner);
    else this.#served.set(owner, served.join('\n'));
    for (const frontend of served) if (!before.has(frontend)) this.#since.add(frontend);
  }

  /** Whether any flow could have begun too early. */
  get isWorthALook(): boolean {
    return this.#since.size + this.#looking.size > 0;
  }

  /** Whether a flow to one of them isn't translated. `nodeAddresses` are those that node ports answer at. */
  isTooEarly(family: Family, flow: Flow, nodeAddresses: ReadonlySet<string>): boolean {
    const { destination, port, replySource, replyPort } = flow;
    if (replySource !== destination || replyPort !== port) return false;
    return (
      this.#looking.has(`${family} ${frontendKey(destination, port)}`) ||
      (nodeAddresses.has(destination) && this.#looking.has(`${family} ${frontendKey('*', port)}`))
    );
  }

  /** A look at all flows begins: what changes from here on is for the next one. */
  beginLook(): void {
    for (const frontend of this.#since) this.#looking.add(frontend);
    this.#since = new Set();
  }

  /** It went through: all that began too early is gone. */
  endLook(): void {
    this.#looking = new Set();
  }
}
