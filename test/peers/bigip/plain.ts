import { isDeepStrictEqual } from 'node:util';

/** JSON as it comes over the wire. */
export interface PlainObject {
  [name: string]: unknown;
}

export function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty for what is none. */
export function object(value: unknown): PlainObject {
  return isObject(value) ? value : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function objects(value: unknown): PlainObject[] {
  return list(value).filter(isObject);
}

/** '' for what isn't text. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

export function classOf(value: unknown): string {
  return text(object(value).class);
}

/** The members of `object` that are objects of this AS3 class. */
export function membersOfClass(from: PlainObject, wanted: string): [name: string, member: PlainObject][] {
  return Object.entries(from).flatMap(([name, member]) =>
    isObject(member) && member.class === wanted ? [[name, member]] : [],
  );
}

export const same = isDeepStrictEqual;
