import { isObject, type PlainObject, text } from '../plain.ts';

/** What AS3's own library says of an operation that makes no sense. */
export class InvalidPatch extends Error {}

/** RFC 6902 without `test`, which AS3 refuses. Answers a changed copy. */
export function applyPatch(document: PlainObject, operations: readonly PlainObject[]): PlainObject {
  const result: PlainObject = structuredClone(document);
  for (const operation of operations) {
    const path = pointerOf(operation.path);
    switch (operation.op) {
      case 'add':
      case 'replace':
        put(result, path, structuredClone(operation.value), operation.op === 'replace');
        break;
      case 'remove':
        take(result, path);
        break;
      case 'move':
        put(result, path, take(result, pointerOf(operation.from)), false);
        break;
      case 'copy':
        put(result, path, structuredClone(read(result, pointerOf(operation.from))), false);
        break;
      default:
        throw new InvalidPatch(`invalid op ${JSON.stringify(operation)}`);
    }
  }
  return result;
}

function pointerOf(value: unknown): string[] {
  const [root, ...parts] = text(value).split('/');
  if (root !== '' || parts.length === 0) throw new InvalidPatch(`invalid path ${JSON.stringify(value)}`);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): unknown {
  let found = document;
  for (const part of path) {
    const inside: unknown = Array.isArray(found)
      ? found[Number(part)]
      : isObject(found)
        ? found[part]
        : undefined;
    if (inside === undefined) throw new InvalidPatch(`path does not exist /${path.join('/')}`);
    found = inside;
  }
  return found;
}

function put(document: PlainObject, path: readonly string[], value: unknown, mustExist: boolean): void {
  if (mustExist) read(document, path);
  const owner = read(document, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(owner)) {
    const index = last === '-' ? owner.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > owner.length)
      throw new InvalidPatch(`invalid index ${last}`);
    owner.splice(index, mustExist ? 1 : 0, value);
  } else if (isObject(owner)) {
    owner[last] = value;
  } else {
    throw new InvalidPatch(`path does not exist /${path.join('/')}`);
  }
}

function take(document: PlainObject, path: readonly string[]): unknown {
  const taken = read(document, path);
  const owner = read(document, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(owner)) owner.splice(Number(last), 1);
  else if (isObject(owner)) delete owner[last];
  return taken;
}
