import type { Fault, ServiceModel } from '../model.ts';
import { fallBack } from './accept-services.ts';

/** The Services with what was decided about their structure, and with the targets of now. */
export function resolveServices(
  wanted: readonly ServiceModel[],
  faults: ReadonlyMap<string, Fault>,
  instead: ReadonlyMap<string, ServiceModel>,
): ServiceModel[] {
  return wanted.flatMap((service) =>
    faults.has(service.key) ? (fallBack(service, instead.get(service.key)) ?? []) : service,
  );
}
