import type { Desired, PlannedChange, State } from './contract.ts';

/** What is asked for, and of whom: another server, or other parameters, are work to do, and no drift. */
export interface WebhookModel {
  url: string;
  parameters: Record<string, string>;
  desired: Desired;
}

/** What is known of one load balancer at its server. */
export interface WebhookObserved {
  /** What the server would do to make it as it ought to be; for one that nobody asks for, nothing. */
  changes: readonly PlannedChange[];
  /** Whether there is one: asked for where one is to be taken away. */
  exists: boolean;
  state: State;
}

export const NOTHING_THERE: WebhookObserved = { changes: [], exists: false, state: { ingress: [] } };
