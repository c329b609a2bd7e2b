import type { ServedPart } from './endpoints/decide-served.ts';
import type { ServiceInputs } from './nftables/compile-service.ts';

export interface ServedInputs extends ServiceInputs {
  part: ServedPart;
}

/**
 * Who acts on Services beside the rules: health checks, conntrack. What it is told it may act on once `applied` is called:
 * only then does the kernel forward as it was told.
 */
export interface ServiceObserver {
  /** A Service (`namespace/name`) was compiled anew; undefined: this node doesn't serve it (any more). */
  compiled(key: string, inputs: ServedInputs | undefined): void;
  /** All that was compiled is in the kernel. */
  applied(): void;
}
