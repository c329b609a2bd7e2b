import type { ServedPart } from './endpoints/decide-served.ts';
import type { ServiceInputs } from './nftables/compile-service.ts';

export interface ServedInputs extends ServiceInputs {
  part: ServedPart;
}

/**
 * Who acts on Services beside the rules: health checks, conntrack. What it is told it may act on once `applied` is called:
 * only then does the kernel forward as it was told. Who must not wait while changes never stop coming has `taken` and
 * `takenApplied` too: what was compiled before the one is in the kernel at the other.
 */
export interface ServiceObserver {
  /** A Service (`namespace/name`) was compiled anew; undefined: this node doesn't serve it (any more). */
  compiled(key: string, inputs: ServedInputs | undefined): void;
  /** What was compiled until now is about to be written. When that fails it is taken once more, with what came after. */
  taken?(): void;
  /** What was compiled until it was last taken is in the kernel. */
  takenApplied?(): void;
  /** All that was compiled is in the kernel. */
  applied(): void;
}
