import type { Logger } from '../kube/log.ts';
import type { WorkerInfo } from './haproxy/read-state.ts';
import type { EdgeModel, Fault, ServiceModel } from './model.ts';
import { DESCRIPTION_PREFIX, type RenderOptions } from './render-config.ts';
import { acceptServices } from './services/accept-services.ts';
import { judgeServices, placesOf } from './services/judge-services.ts';

/** What was decided about one structure: whom HAProxy refuses, and what is served in the place of that. */
export interface Decision {
  digest: string;
  at: number;
  faults: ReadonlyMap<string, Fault>;
  instead: ReadonlyMap<string, ServiceModel>;
  fatal: Fault | undefined;
}

export interface DecisionMakerOptions {
  /** Where a configuration is written to be checked. */
  candidate: string;
  /** The program. */
  haproxy: string;
  render: RenderOptions;
  log: Logger;
}

/** Whoever has our port may have gone. */
export const LOOK_AGAIN_MS = 10_000;

/** Decides whom HAProxy takes, and keeps that until something changes. */
export class DecisionMaker {
  readonly #options: DecisionMakerOptions;
  #decision: Decision | undefined;

  constructor(options: DecisionMakerOptions) {
    this.#options = options;
  }

  /** Whom HAProxy takes. What it runs already needs no asking, and what was decided holds until something changes. */
  async decide(
    model: EdgeModel,
    digest: string,
    {
      worker,
      loaded,
      onFaults,
    }: {
      worker: WorkerInfo | undefined;
      /** What the worker was given last. */
      loaded: ReadonlyMap<string, ServiceModel>;
      /** Told who is at fault as soon as that is known, before others are tried without. */
      onFaults: (found: ReadonlyMap<string, Fault>) => void;
    },
  ): Promise<Decision> {
    const { candidate, haproxy, log, render } = this.#options;
    const before = this.#decision;
    const isOld = before !== undefined && performance.now() - before.at > LOOK_AGAIN_MS;
    const hasFaults = before !== undefined && (before.faults.size > 0 || before.fatal !== undefined);
    if (before?.digest === digest && !(isOld && hasFaults)) return before;
    const at = performance.now();
    if (worker?.description === `${DESCRIPTION_PREFIX}${digest}`) {
      this.#decision = { digest, at, faults: new Map(), instead: new Map(), fatal: undefined };
      return this.#decision;
    }
    const listened = worker === undefined ? new Set<string>() : placesOf([...loaded.values()]);
    const judgeOptions = { candidate, haproxy, listened, render, settings: model.settings };
    const { faults, services, fatal } = await acceptServices(
      model.services,
      loaded,
      (some) => judgeServices(some, judgeOptions),
      onFaults,
    );
    for (const [key, fault] of faults) {
      if (before?.faults.get(key)?.message !== fault.message) log.warn('ServiceRefused', { key, ...fault });
    }
    if (fatal !== undefined) log.error('ConfigurationRefused', { ...fatal });
    const instead = new Map(
      services.flatMap((each) => (faults.has(each.key) ? [[each.key, each] as const] : [])),
    );
    this.#decision = { digest, at, faults, instead, fatal };
    return this.#decision;
  }
}

/** What is wrong with a Service's structure goes before what is wrong with its certificates. */
export function withCertificateFaults(
  faults: ReadonlyMap<string, Fault>,
  { certificates }: EdgeModel,
): ReadonlyMap<string, Fault> {
  const all = new Map(faults);
  for (const [key, report] of certificates) {
    const [first] = report.faults;
    if (first === undefined || all.has(key)) continue;
    all.set(key, { reason: first.reason, message: report.faults.map(({ message }) => message).join(' ') });
  }
  return all;
}
