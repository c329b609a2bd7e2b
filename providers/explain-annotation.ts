import type { Finding } from './provider.ts';

const LONGEST_SHOWN = 100;

/** A value of an annotation that can't be what is meant. `right` is what would have been: `"true" or "false"`. */
export function badValue(key: string, value: string, right: string): Finding {
  return {
    reason: 'InvalidAnnotation',
    message: `The annotation ${key} is ${shownValue(value)}, and ought to be ${right}.`,
  };
}

/** In quotes, and not longer than a line. */
export function shownValue(value: string): string {
  return JSON.stringify(value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value);
}
