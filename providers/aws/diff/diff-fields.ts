import type { FieldChange } from '../../provider.ts';

const NONE = '(none)';

/** A field that differs, as one element; nothing when it doesn't. */
export function diffField(
  field: string,
  actual: string | number | undefined,
  expected: string | number | undefined,
): FieldChange[] {
  if (actual === expected) return [];
  return [{ field, actual: tell(actual), expected: tell(expected) }];
}

function tell(value: string | number | undefined): string {
  return value === undefined || value === '' ? NONE : String(value);
}

/**
 * Of what is wanted, the entries that are otherwise. `managed` are wanted with these values where nobody asks for others, and
 * are so already where they were never read or written. Entries that nobody asks for are left as they are.
 */
export function diffEntries(
  prefix: string,
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
  managed: Readonly<Record<string, string>> = {},
): { entries: Record<string, string>; fields: FieldChange[] } {
  const entries: Record<string, string> = {};
  const fields: FieldChange[] = [];
  for (const [key, value] of Object.entries({ ...managed, ...expected })) {
    const found = actual[key] ?? managed[key];
    if (found === value) continue;
    entries[key] = value;
    fields.push(...diffField(`${prefix}.${key}`, found, value));
  }
  return { entries, fields };
}

/** `a: 1 -> 2, b: ...`, for summaries. */
export function describeFields(fields: readonly FieldChange[]): string {
  return fields.map(({ actual, expected, field }) => `${field} ${actual} -> ${expected}`).join(', ');
}

export function isEmpty(entries: Readonly<Record<string, string>>): boolean {
  return Object.keys(entries).length === 0;
}
