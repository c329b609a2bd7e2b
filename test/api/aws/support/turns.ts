import type { LoadBalancerSpec } from '../../../../crds/load-balancer.ts';
import { createAwsProvider } from '../../../../providers/aws/aws.ts';
import type { AwsChange } from '../../../../providers/aws/changes.ts';
import type { AwsModel } from '../../../../providers/aws/model.ts';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import type { SeededInstance } from '../../../peers/aws/seed-network.ts';
import { type Account, limits, never } from './account.ts';
import { CLUSTER_ID, desireOver, readSecret } from './fixture.ts';

/** More than this is a circle. */
const MOST_TURNS = 12;
/** What takes its time at AWS takes none in the stand-in. */
const PAUSE_MS = 100;
const MOST_PAUSES = 150;

/** The whole provider at an account, turn by turn, as the operator uses it. */
export class Turns {
  readonly account: Account;
  readonly provider = createAwsProvider({ readSecret, limits: limits(100), firstLookSeconds: 0.1 });

  constructor(account: Account) {
    this.account = account;
  }

  /** A Service over a node port of these instances. */
  desire(
    service: string,
    nodePort: number,
    spec: Partial<LoadBalancerSpec> = {},
    instances: readonly SeededInstance[] = this.account.network.instances,
  ): DesiredLoadBalancer {
    const frontends = [{ protocol: 'TCP' as const, port: 80, nodePort }];
    return desireOver(this.account.provider, instances, service, { frontends, ...spec });
  }

  /** What would have to be done; `known`: it was carried out by a process before this one. */
  async plan(desired: DesiredLoadBalancer, known?: AwsModel): Promise<AwsChange[]> {
    const observed = await this.provider.observe(desired, known, never);
    return this.provider.diff(this.provider.build(desired), observed);
  }

  /** One turn; answers what it did. */
  async turn(desired: DesiredLoadBalancer): Promise<AwsChange[]> {
    const changes = await this.plan(desired);
    for (const change of changes) await this.provider.apply(change, desired, never);
    return changes;
  }

  /** Turn by turn until nothing is left to do and nothing is waited for. */
  async settle(desired: DesiredLoadBalancer): Promise<AwsModel> {
    const model = this.provider.build(desired);
    let turns = 0;
    for (let pauses = 0; turns < MOST_TURNS && pauses < MOST_PAUSES; pauses++) {
      const changed = await this.turn(desired);
      const observed = await this.provider.observe(desired, undefined, never);
      const { againAfterSeconds } = this.provider.status(model, observed);
      if (changed.length === 0 && againAfterSeconds === undefined) return model;
      if (changed.length > 0) turns++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error('it goes round and round');
  }

  async remove(desired: DesiredLoadBalancer): Promise<void> {
    const { id, provider } = desired;
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      const changes = this.provider.diff(
        undefined,
        await this.provider.observe({ id, provider }, undefined, never),
      );
      if (changes.length === 0) return;
      for (const change of changes) await this.provider.apply(change, { id, provider }, never);
    }
    throw new Error('it is never gone');
  }

  /** Looks at all of it. */
  async look(): Promise<void> {
    await this.provider.refresh?.(this.account.provider, CLUSTER_ID, never);
  }
}

/** `field: expected ..., found ...` of each. */
export function fieldsOf(changes: readonly AwsChange[]): string[] {
  return changes.flatMap(({ fields = [] }) =>
    fields.map(({ actual, expected, field }) => `${field}: expected ${expected}, found ${actual}`),
  );
}
