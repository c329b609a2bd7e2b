import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import { keyOf } from '../../kube/resources.ts';
import type { AddressHolding } from '../allocate/address-book.ts';
import { formatAddress, parseAddress } from '../allocate/address-ranges.ts';

interface Edit {
  /** What was written past us, in one text. */
  addresses: string;
  /** What was held before. */
  held: AddressHolding;
}

/**
 * Addresses of LoadBalancers that somebody else wrote: no claims. What was held before counts, for as long as that edit
 * stands there; reconciling writes it back.
 */
export class ForeignEdits {
  readonly #edits = new Map<string, Edit>();

  /** `held`: by the book, which knows of all that we write ourselves before it's written. */
  note(latest: LoadBalancer, held: AddressHolding): void {
    const addresses = textOf(latest.spec.addresses ?? []);
    if (addresses !== textOf(held.claims)) this.#edits.set(keyOf(latest), { addresses, held });
  }

  /** What counts in the place of the LoadBalancer's own words; undefined: these do. */
  heldInstead(latest: LoadBalancer): AddressHolding | undefined {
    const key = keyOf(latest);
    const edit = this.#edits.get(key);
    if (edit === undefined) return undefined;
    if (edit.addresses === textOf(latest.spec.addresses ?? [])) return edit.held;
    this.#edits.delete(key);
    return undefined;
  }

  forget(owner: string): void {
    this.#edits.delete(owner);
  }
}

function textOf(claims: readonly AddressClaim[]): string {
  return claims
    .map(({ address }) => {
      const parsed = parseAddress(address);
      return parsed === undefined ? address : formatAddress(parsed);
    })
    .join();
}
