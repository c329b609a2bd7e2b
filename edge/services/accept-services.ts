import type { Fault, ServiceModel } from '../model.ts';

/** What speaks against a set of Services: whose fault it is, where that is known. */
export interface Verdict {
  byService: ReadonlyMap<string, Fault>;
  /** A fault that nobody is named for. */
  unnamed: Fault | undefined;
}

export interface Accepted {
  /** As wanted, as taken before, or not among them. */
  services: ServiceModel[];
  faults: Map<string, Fault>;
  /** Set: even without any of the Services there is this fault, and nothing may be loaded. */
  fatal: Fault | undefined;
}

/**
 * The Services that can be served: of each that is at fault what was taken last, or nothing. One named by the judge costs
 * one more try; where nobody is named, halves are tried. Who is found to be at fault is told at once, before the others are
 * tried without it.
 */
export async function acceptServices(
  wanted: readonly ServiceModel[],
  lastGood: ReadonlyMap<string, ServiceModel>,
  judge: (services: readonly ServiceModel[]) => Promise<Verdict>,
  tell: (faults: ReadonlyMap<string, Fault>) => void = () => {},
): Promise<Accepted> {
  const faults = new Map<string, Fault>();
  const dropped = new Set<string>();
  const choose = () =>
    wanted.flatMap((service) => {
      if (!faults.has(service.key)) return service;
      if (dropped.has(service.key)) return [];
      return fallBack(service, lastGood.get(service.key)) ?? [];
    });
  /** false: there is nothing left to do about it. */
  const blame = (key: string, fault: Fault): boolean => {
    if (dropped.has(key)) return false;
    // The second time it's what was taken last that is at fault.
    if (faults.has(key)) dropped.add(key);
    else faults.set(key, fault);
    return true;
  };

  for (;;) {
    const services = choose();
    const verdict = await judge(services);
    if (verdict.byService.size === 0 && verdict.unnamed === undefined)
      return { services, faults, fatal: undefined };
    let isNews = false;
    for (const [key, fault] of verdict.byService) isNews = blame(key, fault) || isNews;
    if (isNews) {
      tell(faults);
      continue;
    }
    const fatal = await judge([]);
    if (fatal.unnamed !== undefined) return { services: [], faults, fatal: fatal.unnamed };
    const culprit = await findCulprit(services, verdict.unnamed ?? UNEXPLAINED, judge);
    if (!blame(culprit.key, culprit.fault)) return { services: [], faults, fatal: culprit.fault };
  }
}

/** The first Service that makes a refusal of what was none before: log n tries. */
async function findCulprit(
  services: readonly ServiceModel[],
  refusal: Fault,
  judge: (services: readonly ServiceModel[]) => Promise<Verdict>,
): Promise<{ key: string; fault: Fault }> {
  let good = 0;
  let bad = services.length;
  let fault = refusal;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const { byService, unnamed } = await judge(services.slice(0, middle));
    const found = unnamed ?? [...byService.values()][0];
    if (found === undefined) good = middle;
    else {
      bad = middle;
      fault = found;
    }
  }
  const culprit = services[bad - 1];
  return { key: culprit?.key ?? '', fault };
}

const UNEXPLAINED: Fault = { reason: 'ConfigurationRefused', message: 'HAProxy refuses it.' };

/** As it was taken, at those addresses that are its own still, with the targets of now. */
export function fallBack(wanted: ServiceModel, good: ServiceModel | undefined): ServiceModel | undefined {
  if (good === undefined || good.uid !== wanted.uid) return undefined;
  const own = new Set(wanted.frontends.flatMap(({ addresses }) => addresses));
  const now = new Map(wanted.frontends.map((frontend) => [frontend.name, frontend]));
  const frontends = good.frontends.flatMap((frontend) => {
    const addresses = frontend.addresses.filter((address) => own.has(address));
    if (addresses.length === 0) return [];
    return { ...frontend, addresses, servers: now.get(frontend.name)?.servers ?? frontend.servers };
  });
  return frontends.length === 0 ? undefined : { ...good, frontends };
}
