import type { ObservedSecurityGroup } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';

export interface SharedGroupsOptions {
  /** For so long (ms) a listing may lack what was made, or show what was deleted. */
  unseenMs: number;
  ghostsMs: number;
  /** Milliseconds, monotonic. */
  now?: () => number;
}

/** The groups by which nodes know load balancers, one a provider and VPC: as they were listed, and as our writes left them. */
export class SharedGroups {
  readonly #options: SharedGroupsOptions;
  readonly #now: () => number;
  /** By id. */
  #groups = new Map<string, ObservedSecurityGroup>();
  readonly #writtenAt = new Map<string, number>();
  readonly #removedAt = new Map<string, number>();

  constructor(options: SharedGroupsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get all(): ObservedSecurityGroup[] {
    return [...this.#groups.values()];
  }

  has(id: string): boolean {
    return this.#groups.has(id);
  }

  /** Of a provider and VPC: see `ensureSharedGroup`. */
  of(provider: string, vpcId: string): ObservedSecurityGroup | undefined {
    return this.all.find((group) => group.vpcId === vpcId && group.tags[OWNER_TAGS.stack] === provider);
  }

  /** One that was made, or changed. */
  add(group: ObservedSecurityGroup): void {
    this.#groups.set(group.id, group);
    this.#writtenAt.set(group.id, this.#now());
    this.#removedAt.delete(group.id);
  }

  remove(id: string): void {
    this.#groups.delete(id);
    this.#writtenAt.delete(id);
    this.#removedAt.set(id, this.#now());
  }

  /** What was listed; the listing began at `startedAt`, and what was written since is as it was written. */
  merge(listed: readonly ObservedSecurityGroup[], startedAt: number): void {
    const { ghostsMs, unseenMs } = this.#options;
    forgetBefore(this.#removedAt, startedAt - ghostsMs);
    forgetBefore(this.#writtenAt, startedAt - unseenMs);
    const merged = new Map<string, ObservedSecurityGroup>();
    for (const group of listed) if (!this.#removedAt.has(group.id)) merged.set(group.id, group);
    for (const [id, group] of this.#groups) {
      const writtenAt = this.#writtenAt.get(id);
      if (writtenAt !== undefined && (writtenAt >= startedAt || !merged.has(id))) merged.set(id, group);
    }
    this.#groups = merged;
  }
}

function forgetBefore(times: Map<string, number>, before: number): void {
  for (const [key, at] of times) if (at < before) times.delete(key);
}
