import type { FieldChange } from '../../provider.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { membersOf } from '../members.ts';
import type { FlatSettings } from '../observed.ts';

const NONE = '(none)';

/** A declaration as fields by path, targets by their names, so that a difference can be told. */
export function flattenDeclaration(application: JsonObject): FlatSettings {
  const flat: FlatSettings = {};
  for (const [name, value] of Object.entries(application)) {
    if (isJsonObject(value) && value.class === 'Pool') {
      const { members: _members, ...rest } = value;
      addFields(flat, name, rest);
      for (const member of membersOf(value)) {
        const { adminState, connectionLimit, priority, remark } = member;
        const parts = [
          adminState === 'enable' ? 'enabled' : adminState === 'disable' ? 'disabled' : adminState,
        ];
        if (priority !== 0) parts.push(`priority ${priority}`);
        if (connectionLimit !== 0) parts.push(`at most ${connectionLimit} connections`);
        if (remark !== '') parts.push(remark);
        flat[`${name}.members[${member.name}]`] = parts.join(', ');
      }
    } else addFields(flat, name, value);
  }
  return flat;
}

function addFields(flat: FlatSettings, path: string, value: Json): void {
  if (isJsonObject(value)) {
    for (const [key, inner] of Object.entries(value)) addFields(flat, `${path}.${key}`, inner);
  } else flat[path] = Array.isArray(value) ? JSON.stringify(value) : String(value);
}

/** What differs, in an order of names. */
export function diffFlat(actual: FlatSettings, expected: FlatSettings): FieldChange[] {
  const fields = [...new Set([...Object.keys(actual), ...Object.keys(expected)])].sort();
  return fields
    .filter((field) => actual[field] !== expected[field])
    .map((field) => ({ field, actual: actual[field] ?? NONE, expected: expected[field] ?? NONE }));
}
