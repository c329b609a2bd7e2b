import type { MotoClient } from './moto-client.ts';
import type { PlainObject } from './plain.ts';
import type { AwsQuotas, AwsTimes, TargetHealth } from './settings.ts';
import type { View } from './view.ts';

/** What a mend works with. */
export interface MendContext {
  view: View;
  /** Asks moto itself, past all mends but that of ARNs. */
  moto: MotoClient;
  times: Readonly<AwsTimes>;
  quotas: Readonly<AwsQuotas>;
  /** What tests say of targets, by id or `id:port`; `healthy` otherwise. */
  health: ReadonlyMap<string, TargetHealth>;
  /** ms. */
  now(): number;
}

export type Before = (
  parameters: PlainObject,
  context: MendContext,
) => PlainObject | undefined | Promise<PlainObject | undefined>;

export type After = (
  parameters: PlainObject,
  result: PlainObject,
  context: MendContext,
) => void | Promise<void>;

/**
 * One thing that moto does in another way than AWS, put right. `before` may throw an AwsError, change the parameters in
 * place, or answer with a result itself: then neither later mends nor moto are asked. `after` changes the result in place,
 * whoever gave it. All by the name of the operation; mends run in their order, both ways.
 */
export interface Mend {
  service: 'elasticloadbalancing' | 'ec2';
  before?: Readonly<Record<string, Before>>;
  after?: Readonly<Record<string, After>>;
}
