import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isObject, type PlainObject, text } from '../plain.ts';
import type { SchemaCheck } from './schema-check.ts';

/** F5's own, beside the project: it isn't ours to copy. */
const FOLDER = new URL('../../../../../shared/schemas/', import.meta.url);
const WHOLE = 'as3-schema.json';
const PER_APP = 'as3-per-app-schema.json';
/** Anything may stand in these. */
const FREE = new Set([
  'metadata',
  'constants',
  'verifiers',
  'localZones',
  'forwardZones',
  'environmentVariables',
]);

export const IS_F5_SCHEMA_HERE = [WHOLE, PER_APP].every((file) => existsSync(new URL(file, FOLDER)));

/** undefined: F5's schemas aren't here. Compiled at once, and once in a process: that takes a second or two. */
export function findF5Schema(): SchemaCheck | undefined {
  if (!IS_F5_SCHEMA_HERE) return undefined;
  compiled ??= compile(load(WHOLE), load(PER_APP));
  const { adc, perApp, names } = compiled;
  return {
    checkAdc: (declaration) => check(adc, declaration),
    checkPerApp: (declaration) => check(perApp, declaration),
    findUnknown: (declaration) => findUnknown(names, declaration),
    fillIn: (declaration) => {
      const full = structuredClone(declaration);
      adc(full);
      return full;
    },
  };
}

interface Compiled {
  adc: ValidateFunction;
  perApp: ValidateFunction;
  /** All names that the schema has for anything. */
  names: ReadonlySet<string>;
}

let compiled: Compiled | undefined;

/** Of a copy, since defaults are filled in: what is required and has a default needn't be said. */
function check(validate: ValidateFunction, declaration: unknown): string[] {
  if (validate(structuredClone(declaration))) return [];
  // `if`, `oneOf` and the like only say that something further in is wrong.
  const errors = (validate.errors ?? []).filter(({ keyword }) => !['if', 'oneOf', 'anyOf'].includes(keyword));
  return [...new Set((errors.length > 0 ? errors : (validate.errors ?? [])).map(render))];
}

function load(file: string): PlainObject {
  const schema: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
  if (!isObject(schema)) throw new Error(`${file} is no schema`);
  return schema;
}

/** Both schemas have the same definitions: those of the first serve both, and are compiled once. */
function compile(whole: PlainObject, { definitions: _same, ...perApp }: PlainObject): Compiled {
  // Quick to compile rather than quick to run: they're large.
  const ajv = new Ajv({
    strict: false,
    useDefaults: true,
    unicodeRegExp: false,
    validateSchema: false,
    inlineRefs: false,
    code: { optimize: false },
  });
  ajv.addFormat('f5ip', isAddress);
  // Absolute, without blanks and brackets.
  ajv.addFormat('f5bigip', /^\/[^\s"#'*<>?[\\\]{}]+$/);
  ajv.addFormat('f5pointer', /^[\w@/#.-]*$/);
  for (const format of ['date-time', 'email', 'hostname', 'uri']) ajv.addFormat(format, true);
  ajv.addSchema(whole);
  const id = text(whole.$id);
  const adc = ajv.getSchema(`${id}#/definitions/ADC`);
  if (adc === undefined) throw new Error("F5's schema has no ADC");
  const pointed: PlainObject = JSON.parse(
    JSON.stringify(perApp).replaceAll('"#/definitions/', `"${id}#/definitions/`),
  );
  return { adc, perApp: ajv.compile(pointed), names: namesIn(whole) };
}

/** As AS3 says it: `/T/A/web: should have required property 'virtualPort'`. */
function render({ instancePath, message = '', params }: ErrorObject): string {
  const extra = text(params.additionalProperty);
  return `${instancePath === '' ? '/' : instancePath}: ${message.replace(/^must/, 'should')}${extra === '' ? '' : ` (${extra})`}`;
}

/** With a route domain and a length, if any; empty where there's none. */
function isAddress(given: string): boolean {
  const [, address = '', bits] = /^([^%/]*)(?:%\d+)?(?:\/(\d+))?$/.exec(given) ?? [];
  const family = isIP(address);
  return given === '' || (family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128)));
}

function namesIn(schema: PlainObject): ReadonlySet<string> {
  const found = new Set(['$schema']);
  const visit = (value: unknown) => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    if (!isObject(value)) return;
    if (isObject(value.properties)) for (const name of Object.keys(value.properties)) found.add(name);
    for (const inside of Object.values(value)) visit(inside);
  };
  visit(schema);
  return found;
}

/** A property that the schema has nowhere. Names of what has a class of its own are anybody's. */
function findUnknown(from: ReadonlySet<string>, value: unknown): string | undefined {
  if (Array.isArray(value))
    return value.map((one) => findUnknown(from, one)).find((name) => name !== undefined);
  if (!isObject(value)) return undefined;
  for (const [name, inside] of Object.entries(value)) {
    if (FREE.has(name)) continue;
    const isNamed = isObject(inside) && inside.class !== undefined;
    if (!isNamed && !from.has(name)) return name;
    const unknown = findUnknown(from, inside);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}
