import { Backoff, sleep } from '../../../kube/backoff.ts';
import { Deadline } from '../../../kube/deadline.ts';
import { isClass } from '../../../kube/errors.ts';
import type { BucketName } from './call-limits.ts';
import { type Classified, classifyAwsError } from './classify-aws-error.ts';
import type { FairBucket } from './fair-bucket.ts';
import { lookWhetherGone } from './look-whether-gone.ts';
import {
  type AwsClients,
  type InputOf,
  OPERATIONS,
  type OperationName,
  type OutputOf,
} from './operations.ts';
import { RecentlyMade } from './recently-made.ts';

/** Whose call it is. */
export interface CallContext {
  /** The namespace, for turns to be fair. */
  turn: string;
  /** Waits for everybody else: sweeps. */
  inBackground: boolean;
  signal: AbortSignal;
}

/** Whatever AWS can be called through. */
export type AwsCaller = Pick<AwsCalls, 'call'>;

/** One call of AWS that ended, each try counted alone. */
export interface AwsCallReport {
  service: string;
  operation: string;
  /** `ok`, AWS' code, or why there was no answer: `Timeout`, `ConnectionLost`, ... */
  code: string;
  seconds: number;
  /** Seconds that it waited for its turn before. */
  waitedSeconds: number;
  account: string;
  region: string;
}

export interface AwsCallsOptions {
  clients: AwsClients;
  region: string;
  timeoutMs: number;
  /** The account, as far as it is known; with it come the buckets. */
  account: () => string;
  buckets: () => Readonly<Record<BucketName, FairBucket>>;
  /** Told an ARN of what was made, for the account in it. */
  onArn(arn: string): void;
  observe: ((report: AwsCallReport) => void) | undefined;
}

/** How often a call that failed like this is tried again; after that its caller tells, and comes again later. */
const MOST_TRIES = { throttled: 11, passing: 5, missing: 7, untagged: 2 };

/**
 * The one way to AWS: token bucket, time-out, count, class of the error, and trying again where that helps. Throws
 * ClassedErrors. A call that changes something may have been carried out although it failed: what comes after it must take
 * what it finds.
 */
export class AwsCalls {
  readonly #options: AwsCallsOptions;
  readonly #recent = new RecentlyMade();

  constructor(options: AwsCallsOptions) {
    this.#options = options;
  }

  async call<N extends OperationName>(
    operation: N,
    input: InputOf<N>,
    context: CallContext,
  ): Promise<OutputOf<N>> {
    const backoff = new Backoff({ initialMs: 250, maxMs: 8000 });
    const tries = { throttled: 0, passing: 0, missing: 0, untagged: 0 };
    for (;;) {
      try {
        const output = await this.#once(operation, input, context);
        if (operation.startsWith('Create')) this.#noteMade(output);
        return output;
      } catch (failure) {
        context.signal.throwIfAborted();
        const { error, retry } = await this.#classify(failure, operation, input, context, tries.untagged);
        if (retry === 'no' || ++tries[retry] > MOST_TRIES[retry]) throw error;
        if (retry === 'missing' && !this.#mayAppear(operation, input, context, tries.missing)) throw error;
        await sleep(backoff.next(), context.signal);
        context.signal.throwIfAborted();
      }
    }
  }

  /** What was denied may be gone, or so new that AWS doesn't know its tags yet. */
  async #classify(
    failure: unknown,
    operation: OperationName,
    input: unknown,
    context: CallContext,
    tries: number,
  ): Promise<Classified> {
    const classified = classifyAwsError(failure, operation);
    const isDenied = ['AccessDenied', 'UnauthorizedOperation'].includes(classified.error.reason);
    if (!isDenied || operation.startsWith('Describe')) return classified;
    if (this.#recent.hasAnyOf(input) && tries < MOST_TRIES.untagged)
      return { ...classified, retry: 'untagged' };
    const gone = await lookWhetherGone(input, async (ask, of) => {
      try {
        return await this.#once(ask, of, context);
      } catch (error) {
        context.signal.throwIfAborted();
        throw classifyAwsError(error, ask).error;
      }
    });
    return gone === undefined ? classified : { error: gone, retry: 'no' };
  }

  #noteMade(output: unknown): void {
    const arn = this.#recent.add(output).find((id) => id.startsWith('arn:'));
    if (arn !== undefined) this.#options.onArn(arn);
  }

  /** Not waited for long where deleting twice fails like this, since the first answer was lost, or where somebody looks again. */
  #mayAppear(
    operation: OperationName,
    input: unknown,
    { inBackground }: CallContext,
    tries: number,
  ): boolean {
    const isPatient = !operation.startsWith('Delete') && !inBackground;
    return this.#recent.hasAnyOf(input) && (isPatient || tries < 3);
  }

  async #once<N extends OperationName>(
    operation: N,
    input: InputOf<N>,
    context: CallContext,
  ): Promise<OutputOf<N>> {
    const { clients, timeoutMs } = this.#options;
    const { bucket: bucketName, send } = OPERATIONS[operation];
    const queuedAt = performance.now();
    const bucket = this.#options.buckets()[bucketName];
    await bucket.take(context);
    const startedAt = performance.now();
    const deadline = new Deadline(timeoutMs, context.signal);
    const report = (code: string) => this.#report(operation, code, startedAt, startedAt - queuedAt);
    try {
      const output = await race(send(clients, input, { abortSignal: deadline.signal }), deadline.signal);
      report('ok');
      bucket.succeeded();
      return output;
    } catch (failure) {
      const explained = deadline.signal.aborted ? deadline.explain(failure, operation) : failure;
      const { error } = classifyAwsError(explained, operation);
      report(error.reason);
      if (isClass(error, 'Throttled')) bucket.throttled();
      else bucket.succeeded();
      throw explained;
    } finally {
      deadline.clear();
    }
  }

  #report(operation: OperationName, code: string, startedAt: number, waitedMs: number): void {
    const { account, observe, region } = this.#options;
    observe?.({
      service: OPERATIONS[operation].service,
      operation,
      code,
      seconds: (performance.now() - startedAt) / 1000,
      waitedSeconds: waitedMs / 1000,
      account: account(),
      region,
    });
  }
}

/** Getting credentials, which the SDK does first, doesn't end with its signal. */
async function race<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
