import type { Change, FieldChange } from '../../providers/provider.ts';

/** `field: expected ..., found ...`, one after the other; what is missing or too much by its summary. */
export function describeChanges(changes: readonly Change[]): string {
  const texts = changes.flatMap(({ fields, summary, resource }) =>
    fields === undefined || fields.length === 0
      ? [summary]
      : fields.map((field) => `${resource} ${describeField(field)}`),
  );
  return texts.join('; ');
}

function describeField({ field, expected, actual }: FieldChange): string {
  return `${field}: expected ${expected}, found ${actual}`;
}
