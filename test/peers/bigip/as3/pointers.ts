import { isObject, object, type PlainObject, text } from '../plain.ts';

/** Where in a tenant a value stands. */
export interface Place {
  tenant: string;
  application: string;
}

/** `web`, `/T/A/web` or `A/web` as a full path. */
export function resolvePointer({ tenant, application }: Place, pointer: string): string {
  if (pointer.startsWith('/')) return pointer;
  return pointer.includes('/') ? `/${tenant}/${pointer}` : `/${tenant}/${application}/${pointer}`;
}

/** What a pointer leads to, in a whole declaration (tenants by name). */
export function findDeclared(declaration: PlainObject, path: string): PlainObject | undefined {
  const [, tenant = '', application = '', ...name] = path.split('/');
  const found = object(object(declaration[tenant])[application])[name.join('/')];
  return isObject(found) ? found : undefined;
}

/** `{bigip}`, `{use}`, or the name of something declared, as a full path; '' for none of them. */
export function readReference(place: Place, value: unknown): string {
  if (typeof value === 'string') return value === '' ? '' : resolvePointer(place, value);
  const { bigip, use } = object(value);
  if (typeof bigip === 'string') return bigip.replaceAll('"', '');
  return text(use) === '' ? '' : resolvePointer(place, text(use));
}
