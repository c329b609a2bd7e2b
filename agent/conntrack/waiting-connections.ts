import type { Family } from '../endpoints/canonical-address.ts';
import { frontendKey, type TrackedFrontend } from './collect-frontends.ts';
import { idsOf } from './frontend-index.ts';
import type { Flow } from './parse-flow.ts';

/** Why a connection that waits for its first answer would wait in vain. */
export type VainReason = 'NotTranslated' | 'NoSuchEndpoint';

/** What changed between two looks. */
interface Changes {
  /** Frontends that have somebody behind them, and had nobody before: what was dialled there went through untranslated. */
  served: Set<string>;
  /** Who went, by frontend: a node that was lost answers nothing, not even by a refusal. */
  gone: Map<string, Set<string>>;
}

/**
 * Knows which connections may wait for an answer that can't come. The client sends its first segment again after 1, 3 and
 * 7 s (RFC 6298), and conntrack would take it the same way each time; without the entry, the next one reaches whoever serves
 * by then. Keeps one text a Service.
 */
export class WaitingConnections {
  /** By Service, the lines of `render`. */
  readonly #current = new Map<string, string>();
  #since = noChanges();
  /** The same, for the look that is going on. */
  #looking = noChanges();

  /** Sets the frontends of a Service; none removes it. */
  put(owner: string, frontends: readonly TrackedFrontend[]): void {
    const before = this.#current.get(owner) ?? '';
    const after = render(frontends);
    if (after === before) return;
    if (after === '') this.#current.delete(owner);
    else this.#current.set(owner, after);
    const now = parse(after);
    const was = parse(before);
    for (const id of now.keys()) if (!was.has(id)) this.#since.served.add(id);
    for (const [id, text] of now) this.#isBack(id, text);
    for (const [id, text] of was) {
      if (now.get(id) !== text) note(this.#since.gone, id, without(text, now.get(id)));
    }
  }

  #isBack(id: string, endpoints: string): void {
    for (const { gone } of [this.#since, this.#looking]) {
      const known = gone.get(id);
      if (known === undefined) continue;
      for (const endpoint of endpoints.split(',')) known.delete(endpoint);
      if (known.size === 0) gone.delete(id);
    }
  }

  /** Whether any connection could wait in vain. */
  get isWorthALook(): boolean {
    return [this.#since, this.#looking].some(({ served, gone }) => served.size + gone.size > 0);
  }

  /** Why a connection without an answer is to be let go; null: it isn't. `nodeAddresses` are those that node ports answer at. */
  judge(family: Family, flow: Flow, nodeAddresses: ReadonlySet<string>): VainReason | null {
    const { destination, port, replySource, replyPort } = flow;
    const ids = idsOf(family, flow, nodeAddresses);
    if (replySource === destination && replyPort === port) {
      return ids.some((id) => this.#looking.served.has(id)) ? 'NotTranslated' : null;
    }
    const reply = frontendKey(replySource, replyPort);
    return ids.some((id) => this.#looking.gone.get(id)?.has(reply)) ? 'NoSuchEndpoint' : null;
  }

  /** A look at all of them begins: what changes from here on is for the next one. */
  beginLook(): void {
    for (const id of this.#since.served) this.#looking.served.add(id);
    for (const [id, endpoints] of this.#since.gone) note(this.#looking.gone, id, endpoints);
    this.#since = noChanges();
  }

  /** It went through: all that waited in vain is gone. */
  endLook(): void {
    this.#looking = noChanges();
  }
}

function noChanges(): Changes {
  return { served: new Set(), gone: new Map() };
}

function note(gone: Map<string, Set<string>>, id: string, endpoints: Iterable<string>): void {
  const known = gone.get(id) ?? new Set();
  for (const endpoint of endpoints) known.add(endpoint);
  if (known.size > 0) gone.set(id, known);
}

/** One line for each frontend with somebody behind it: family and frontend, a tab, the endpoints. */
function render(frontends: readonly TrackedFrontend[]): string {
  // The frontends of one port have their endpoints in common.
  const texts = new Map<ReadonlySet<string>, string>();
  return frontends
    .filter(({ endpoints }) => endpoints.size > 0)
    .map(({ family, key, endpoints }) => {
      const text = texts.get(endpoints) ?? [...endpoints].join(',');
      texts.set(endpoints, text);
      return `${family} ${key}\t${text}`;
    })
    .join('\n');
}

function parse(lines: string): Map<string, string> {
  if (lines === '') return new Map();
  return new Map(
    lines.split('\n').map((line) => {
      const [id = '', endpoints = ''] = line.split('\t');
      return [id, endpoints];
    }),
  );
}

function without(endpoints: string, others = ''): string[] {
  const kept = new Set(others.split(','));
  return endpoints.split(',').filter((endpoint) => !kept.has(endpoint));
}
