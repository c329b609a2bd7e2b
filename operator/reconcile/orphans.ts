import type { Finding, LoadBalancerId } from '../../providers/provider.ts';
import { REASONS } from '../status/reasons.ts';

const NAMED = 10;

/** What providers have of ours that no LoadBalancer stands for, as it was found last. */
export class Orphans {
  readonly #byProvider = new Map<string, readonly LoadBalancerId[]>();

  /** Answers whether that is news. */
  set(provider: string, orphans: readonly LoadBalancerId[]): boolean {
    const before = this.describe(provider)?.message;
    if (orphans.length === 0) this.#byProvider.delete(provider);
    else this.#byProvider.set(provider, orphans);
    return this.describe(provider)?.message !== before;
  }

  describe(provider: string): Finding | undefined {
    const orphans = this.#byProvider.get(provider) ?? [];
    if (orphans.length === 0) return undefined;
    const names = orphans.slice(0, NAMED).map(({ name, namespace }) => `${namespace}/${name}`);
    const more = orphans.length > NAMED ? `, and ${orphans.length - NAMED} more` : '';
    const message = `The provider has load balancers of this cluster whose Services are gone: ${names.join(', ')}${more}. They are taken away where spec.deletion is Delete.`;
    return { reason: REASONS.orphaned, message };
  }
}
