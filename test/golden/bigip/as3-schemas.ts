import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Ajv, type ValidateFunction } from 'ajv';

/** F5's own, beside the project: they aren't ours to copy. */
const FOLDER = new URL('../../../../shared/schemas/', import.meta.url);
const FILES = { 'per application': 'as3-per-app-schema.json', 'whole tenant': 'as3-schema.json' } as const;

export type SchemaName = keyof typeof FILES;

export const SCHEMAS_ARE_THERE = Object.values(FILES).every((file) => existsSync(new URL(file, FOLDER)));

const compiled = new Map<SchemaName, ValidateFunction>();

/** Why F5's schema refuses a declaration; undefined: it doesn't, or there is no schema here. */
export function refusalOf(name: SchemaName, declaration: unknown): string | undefined {
  if (!SCHEMAS_ARE_THERE) return undefined;
  const validate = compiled.get(name) ?? compile(name);
  compiled.set(name, validate);
  if (validate(declaration)) return undefined;
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ');
}

/** Formats of F5's are checked by the device against itself; here by what their names say. */
function compile(name: SchemaName): ValidateFunction {
  // Quick to compile, since it's large and each declaration is checked once.
  const ajv = new Ajv({
    strict: false,
    unicodeRegExp: false,
    validateSchema: false,
    inlineRefs: false,
    code: { optimize: false },
  });
  ajv.addFormat('f5ip', isAddress);
  ajv.addFormat('f5bigip', /^\/[^\s/]+(\/[^\s/]+)+$/);
  for (const format of ['f5pointer', 'date-time', 'email', 'hostname', 'uri']) ajv.addFormat(format, true);
  return ajv.compile(JSON.parse(readFileSync(new URL(FILES[name], FOLDER), 'utf8')));
}

/** An address, with a prefix and a route domain if any; empty where none is meant. */
function isAddress(text: string): boolean {
  const [, address = '', bits] = /^([^%/]*)(?:%\d+)?(?:\/(\d+))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (text === '') return true;
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}
