import type { LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2';
import { sleep } from '../../../kube/backoff.ts';
import { isClass } from '../../../kube/errors.ts';
import { SharedRun } from '../../shared-run.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import { ARNS_A_CALL } from '../calls/pages.ts';

/** So long others may join: many load balancers that were begun together are asked for together. */
const GATHER_MS = 100;

interface Batch {
  arns: Set<string>;
  run: SharedRun<Map<string, LoadBalancer>>;
}

/** Load balancers by ARN, 20 a call, whoever asks for them. */
export class StateAsker {
  readonly #calls: AwsCalls;
  #batch: Batch | undefined;

  constructor(calls: AwsCalls) {
    this.#calls = calls;
  }

  /** undefined: it's gone. */
  async ask(arn: string, context: CallContext): Promise<LoadBalancer | undefined> {
    const batch = this.#batch ?? this.#begin(context.turn);
    batch.arns.add(arn);
    if (batch.arns.size >= ARNS_A_CALL) this.#batch = undefined;
    return (await batch.run.join(context.signal)).get(arn);
  }

  #begin(turn: string): Batch {
    const arns = new Set<string>();
    const run = new SharedRun(async (signal) => {
      await sleep(GATHER_MS, signal);
      if (this.#batch === batch) this.#batch = undefined;
      return this.#read([...arns], { turn, inBackground: false, signal });
    });
    const batch: Batch = { arns, run };
    this.#batch = batch;
    return batch;
  }

  /** One that is gone fails the whole call. */
  async #read(arns: string[], context: CallContext): Promise<Map<string, LoadBalancer>> {
    try {
      const { LoadBalancers = [] } = await this.#calls.call(
        'DescribeLoadBalancers',
        { LoadBalancerArns: arns },
        context,
      );
      return new Map(LoadBalancers.map((each) => [each.LoadBalancerArn ?? '', each]));
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
      if (arns.length <= 1) return new Map();
      const half = Math.ceil(arns.length / 2);
      const first = await this.#read(arns.slice(0, half), context);
      return new Map([...first, ...(await this.#read(arns.slice(half), context))]);
    }
  }
}
