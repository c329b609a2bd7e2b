import type { Plain, PlainObject } from './plain.ts';

/** How lists are numbered: `Names.member.1` in Elastic Load Balancing, `Name.1` in EC2. */
export type ListStyle = 'member' | 'number';

/**
 * The parameters of a form body as nested data, without Action and Version. Lists of both styles become arrays.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonParameters.html
 */
export function parseForm(body: string): { operation: string; version: string; parameters: PlainObject } {
  const root: PlainObject = {};
  let operation = '';
  let version = '';
  for (const [name, value] of new URLSearchParams(body)) {
    if (name === 'Action') operation = value;
    else if (name === 'Version') version = value;
    else put(root, name.split('.'), value);
  }
  const parameters: PlainObject = {};
  for (const [name, value] of Object.entries(root))
    if (value !== undefined) parameters[name] = toLists(value);
  return { operation, version, parameters };
}

/** The form body that says this. */
export function renderForm(
  operation: string,
  version: string,
  parameters: PlainObject,
  style: ListStyle,
): string {
  const form = new URLSearchParams({ Action: operation, Version: version });
  const write = (name: string, value: Plain) => {
    if (typeof value === 'string') form.append(name, value);
    else if (Array.isArray(value)) {
      if (value.length === 0) form.append(name, '');
      const prefix = style === 'member' ? `${name}.member` : name;
      for (const [index, entry] of value.entries()) write(`${prefix}.${index + 1}`, entry);
    } else {
      for (const [key, entry] of Object.entries(value))
        if (entry !== undefined) write(`${name}.${key}`, entry);
    }
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) write(name, value);
  return form.toString();
}

function put(target: PlainObject, path: readonly string[], value: string): void {
  let here = target;
  for (const name of path.slice(0, -1)) {
    const next = here[name];
    const inner: PlainObject = typeof next === 'object' && !Array.isArray(next) ? next : {};
    here[name] = inner;
    here = inner;
  }
  here[path.at(-1) ?? ''] = value;
}

function toLists(value: Plain): Plain {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const entries = Object.entries(value).flatMap(([name, entry]): [string, Plain][] =>
    entry === undefined ? [] : [[name, toLists(entry)]],
  );
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'member') return only[1];
  if (entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name))) {
    return entries.sort(([one], [other]) => Number(one) - Number(other)).map(([, entry]) => entry);
  }
  return Object.fromEntries(entries);
}
