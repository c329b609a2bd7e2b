/** Parameters and answers of the query protocol as data: all leaves are text. */
export type Plain = string | Plain[] | PlainObject;

export interface PlainObject {
  [name: string]: Plain | undefined;
}

/** '' for what isn't text. */
export function text(value: Plain | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** undefined for what isn't there, or is empty. */
export function optionalText(value: Plain | undefined): string | undefined {
  return text(value) === '' ? undefined : text(value);
}

/** Of a list; an empty element (`<Subnets/>`, `Subnets=`) is an empty list. */
export function list(value: Plain | undefined): Plain[] {
  return Array.isArray(value) ? value : [];
}

export function texts(value: Plain | undefined): string[] {
  return list(value).map(text);
}

export function object(value: Plain | undefined): PlainObject {
  return isObject(value) ? value : {};
}

export function objects(value: Plain | undefined): PlainObject[] {
  return list(value).filter(isObject);
}

/** `[{Key, Value}]` as tags and attributes come, by key. */
export function keyValues(value: Plain | undefined): Record<string, string> {
  return Object.fromEntries(objects(value).map((pair) => [text(pair.Key), text(pair.Value)]));
}

export function toKeyValues(pairs: Readonly<Record<string, string>>): PlainObject[] {
  return Object.entries(pairs).map(([Key, Value]) => ({ Key, Value }));
}

function isObject(value: Plain | undefined): value is PlainObject {
  return typeof value === 'object' && !Array.isArray(value);
}
