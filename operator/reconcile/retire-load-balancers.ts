import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Finding } from '../../providers/provider.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { REASONS } from '../status/reasons.ts';
import type { CompiledObjects } from './compiled-objects.ts';
import { RetireClock } from './retire-clock.ts';

/** As the schema says; also of load balancers whose LoadBalancerProvider is gone. */
const DEFAULT_SECONDS = 600;

export interface Retirement {
  /** Those whose time is over. */
  due: LoadBalancer[];
  /** Those that go on serving. */
  serving: LoadBalancer[];
  findings: Finding[];
  /** When the next may go; undefined: something else has to come first. */
  nextSeconds?: number | undefined;
}

/**
 * Make before break: load balancers that a Service left go on serving until those that it asks for serve, and then for as long
 * as clients may have the old address.
 */
export class Retirer {
  readonly #compiled: Pick<CompiledObjects, 'providers'>;
  readonly #clock = new RetireClock();

  constructor(compiled: Pick<CompiledObjects, 'providers'>) {
    this.#compiled = compiled;
  }

  plan(serviceKey: string, left: readonly LoadBalancer[], allServe: boolean): Retirement {
    const going = left.filter(isBeingDeleted);
    const staying = left.filter((each) => !isBeingDeleted(each));
    const waiting = new Map(staying.map((each) => [each.metadata.name, this.#secondsOf(each)]));
    const remaining = this.#clock.follow(serviceKey, allServe ? waiting : new Map());
    if (!allServe) {
      const findings = staying.map(({ metadata: { name } }) => retiring(name, UNTIL_OTHERS_SERVE));
      return { due: [], serving: staying, findings };
    }
    const leftOf = ({ metadata: { name } }: LoadBalancer) => remaining.get(name) ?? 0;
    const serving = staying.filter((each) => leftOf(each) > 0);
    const next = Math.min(...serving.map(leftOf));
    return {
      due: [...going, ...staying.filter((each) => leftOf(each) === 0)],
      serving,
      findings: serving.map((each) =>
        retiring(each.metadata.name, describeTime(this.#secondsOf(each), each.spec.provider.name)),
      ),
      // Timers may be early by a millisecond.
      ...(serving.length === 0 ? {} : { nextSeconds: next + 0.01 }),
    };
  }

  forget(serviceKey: string): void {
    this.#clock.forget(serviceKey);
  }

  #secondsOf({ spec }: LoadBalancer): number {
    const provider = this.#compiled.providers.get(spec.provider.name);
    return provider?.object.spec.retireSeconds ?? DEFAULT_SECONDS;
  }
}

const UNTIL_OTHERS_SERVE = 'until those that are asked for serve';

/** The same text for as long as it holds: it stands in a condition. */
function retiring(name: string, howLong: string): Finding {
  return {
    reason: REASONS.retiring,
    message: `Load balancer ${name} isn't asked for any more, and goes on serving ${howLong}.`,
  };
}

function describeTime(seconds: number, provider: string): string {
  return `for ${seconds} s, as clients may still have its address (retireSeconds of LoadBalancerProvider "${provider}")`;
}
