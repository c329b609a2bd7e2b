import type { EndpointSlice } from './objects.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** `namespace/name` of the Service that a slice is of; undefined: of none. */
export function serviceOfSlice({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}

/** serviceOfSlice, for the index of a store. */
export function servicesOfSlice(slice: EndpointSlice): string[] {
  const service = serviceOfSlice(slice);
  return service === undefined ? [] : [service];
}
