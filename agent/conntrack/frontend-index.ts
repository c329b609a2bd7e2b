import type { Family } from '../endpoints/canonical-address.ts';
import { frontendKey, type TrackedFrontend } from './collect-frontends.ts';
import type { Flow } from './parse-flow.ts';

/** Why an entry of connection tracking is of no use any more. */
export type StaleReason = 'NoSuchEndpoint' | 'NotTranslated' | 'FrontendGone';

type Sets = Map<string, ReadonlySet<string>>;

/**
 * Who may be behind which frontend, of all Services over one protocol. Knows who was behind
 * them since the last look, so that flows of a frontend that is gone are told from those that were never ours.
 */
export class FrontendIndex {
  readonly #byOwner = new Map<string, readonly TrackedFrontend[]>();
  /** By family and frontend, by owner: several Services may claim one, and all of them count. */
  readonly #current = new Map<string, Sets>();
  /** Endpoints that were behind a frontend since flows were last looked at. */
  #former = new Map<string, Set<string>>();
  /** The same, for the look that is going on. */
  #looking = new Map<string, Set<string>>();

  /** Sets the frontends of a Service; none removes it. Answers whether flows may have become stale by it. */
  put(owner: string, frontends: readonly TrackedFrontend[]): boolean {
    const before = this.#byOwner.get(owner) ?? [];
    for (const frontend of before) this.#withdraw(owner, frontend);
    if (frontends.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, frontends);
    for (const frontend of frontends) {
      const id = idOf(frontend.family, frontend.key);
      const sets = this.#current.get(id) ?? new Map();
      this.#current.set(id, sets.set(owner, frontend.endpoints));
    }
    return !isHarmless(before, frontends);
  }

  /** What a Service had for a moment only, between two calls of `put`. Answers whether there may be flows of it. */
  passOver(frontends: readonly TrackedFrontend[]): boolean {
    for (const frontend of frontends) this.#remember(frontend);
    return frontends.length > 0;
  }

  /** Whether any flow could be stale. */
  get isWorthALook(): boolean {
    return this.#current.size + this.#former.size + this.#looking.size > 0;
  }

  /** Why a flow is stale; null: it isn't, or it is none of ours. `nodeAddresses` are those that node ports answer at. */
  judge(family: Family, flow: Flow, nodeAddresses: ReadonlySet<string>): StaleReason | null {
    const reply = frontendKey(flow.replySource, flow.replyPort);
    for (const id of idsOf(family, flow, nodeAddresses)) {
      const sets = this.#current.get(id);
      if (sets !== undefined) {
        for (const endpoints of sets.values()) if (endpoints.has(reply)) return null;
        return flow.replySource === flow.destination ? 'NotTranslated' : 'NoSuchEndpoint';
      }
      if (this.#looking.get(id)?.has(reply)) return 'FrontendGone';
    }
    return null;
  }

  /** Whether a flow is with an endpoint that serves where it was dialled. */
  serves(family: Family, flow: Flow, nodeAddresses: ReadonlySet<string>): boolean {
    const reply = frontendKey(flow.replySource, flow.replyPort);
    return idsOf(family, flow, nodeAddresses).some((id) => {
      const sets = this.#current.get(id)?.values() ?? [];
      return [...sets].some((endpoints) => endpoints.has(reply));
    });
  }

  /** A look at all flows begins: what changes from here on is for the next one. */
  beginLook(): void {
    for (const [id, endpoints] of this.#former) {
      this.#looking.set(id, new Set([...endpoints, ...(this.#looking.get(id) ?? [])]));
    }
    this.#former = new Map();
  }

  /** It went through: all that was stale is gone. */
  endLook(): void {
    this.#looking = new Map();
  }

  #withdraw(owner: string, frontend: TrackedFrontend): void {
    const id = idOf(frontend.family, frontend.key);
    const sets = this.#current.get(id);
    sets?.delete(owner);
    if (sets?.size === 0) this.#current.delete(id);
    this.#remember(frontend);
  }

  #remember({ family, key, endpoints }: TrackedFrontend): void {
    const id = idOf(family, key);
    const former = this.#former.get(id) ?? new Set();
    for (const endpoint of endpoints) former.add(endpoint);
    this.#former.set(id, former);
  }
}

/** More endpoints beside those that were there break nothing; everything else may. */
function isHarmless(before: readonly TrackedFrontend[], after: readonly TrackedFrontend[]): boolean {
  if (before.length !== after.length) return false;
  const known = new Map(before.map((frontend) => [idOf(frontend.family, frontend.key), frontend.endpoints]));
  return after.every(({ family, key, endpoints }) => {
    const were = known.get(idOf(family, key));
    if (were === undefined || (were.size === 0 && endpoints.size > 0)) return false;
    return [...were].every((endpoint) => endpoints.has(endpoint));
  });
}

/** The frontends that a flow may have been dialled at: family, address and port. */
export function idsOf(
  family: Family,
  { destination, port }: Flow,
  nodeAddresses: ReadonlySet<string>,
): string[] {
  const dialled = idOf(family, frontendKey(destination, port));
  return nodeAddresses.has(destination) ? [dialled, idOf(family, frontendKey('*', port))] : [dialled];
}

function idOf(family: Family, key: string): string {
  return `${family} ${key}`;
}
