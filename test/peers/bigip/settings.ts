/** How long things take, in ms. All at once unless a test says so. */
export interface BigIpTimes {
  /** A declaration, while nobody else's gets in. */
  declaration: number;
  /** More for each object that a declaration changes. */
  perChange: number;
  /** A declaration that was posted without `async` is answered with 202 after so long; AS3 does after 45 s. */
  swapToAsync: number;
  /** Copying the configuration to the group. */
  sync: number;
}

export const QUICK: BigIpTimes = { declaration: 0, perChange: 0, swapToAsync: 45_000, sync: 0 };
