import type { z } from 'zod';
import { awsOptionsSchema, awsSchema } from '../../../crds/aws-provider.ts';
import { ANNOTATIONS } from '../options/annotations.ts';
import { PREFIX } from '../options/read-annotations.ts';

/** Every field of `spec.aws`, of a provider and of a LoadBalancer, as the schema describes it. */
export function renderFields(): string {
  const ofService = new Set(Object.keys(awsOptionsSchema.shape));
  const fields = { ...awsOptionsSchema.shape, ...awsSchema.shape };
  const rows = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, schema]) => rowsOf(name, schema, whoSays(name, ofService)));
  return ['| field | said by | what it says |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What becomes of each annotation of the AWS Load Balancer Controller. */
export function renderAnnotations(): string {
  const rows = [...ANNOTATIONS]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ becomes, name }) => `| \`${name}\` | ${cell(becomes)} |`);
  return [`| \`${PREFIX}\`... | becomes |`, '| --- | --- |', ...rows].join('\n');
}

function whoSays(name: string, ofService: ReadonlySet<string>): string {
  if (!(name in awsSchema.shape)) return 'Service';
  return ofService.has(name) ? 'provider, Service' : 'provider';
}

function rowsOf(name: string, schema: z.core.$ZodType, who: string): string[] {
  const { description, shape } = unwrap(schema);
  const row = `| \`${name}\` | ${who} | ${cell(description)} |`;
  const inner = Object.entries(shape ?? {}).flatMap(([key, each]) => rowsOf(`${name}.${key}`, each, who));
  return [row, ...inner];
}

/** Optional fields have their description inside or outside. */
function unwrap(schema: z.core.$ZodType): { description: string; shape?: Record<string, z.core.$ZodType> } {
  const own =
    'description' in schema && typeof schema.description === 'string' ? schema.description : undefined;
  const { def } = schema._zod;
  if ('innerType' in def && isSchema(def.innerType)) {
    const { description, shape } = unwrap(def.innerType);
    return { description: own ?? description, ...(shape === undefined ? {} : { shape }) };
  }
  const shape = 'shape' in def && isShape(def.shape) ? { shape: def.shape } : {};
  return { description: own ?? '', ...shape };
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

function isShape(value: unknown): value is Record<string, z.core.$ZodType> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isSchema);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
