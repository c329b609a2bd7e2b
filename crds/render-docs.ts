import { buildObjectSchema } from './build-crd.ts';
import { buildSchema, type StructuralSchema } from './build-schema.ts';
import { conditionsSchema, labelSelectorSchema } from './common.ts';
import type { KindDefinition } from './kinds.ts';

interface Field {
  /** From the object: `spec.addresses[]`. */
  path: string;
  schema: StructuralSchema;
  required: boolean;
}

const INTRODUCTION = `# The kinds of Fairlead

Group \`fairlead.dev\`, version \`v1alpha1\`; all of them: \`kubectl get fairlead -A\`. The same text comes from
\`kubectl explain\`, such as \`kubectl explain addresspool.spec.addresses\`.

The API server refuses what breaks a rule, with the message that stands here. It needs Kubernetes 1.31 or later.
`;

/** What many kinds have: told once, at the end. */
const SHARED = [
  {
    title: 'Label selectors',
    one: 'label selector',
    is: (schema: StructuralSchema) => isSchema(schema.properties) && 'matchExpressions' in schema.properties,
    schema: buildSchema(labelSelectorSchema),
  },
  {
    title: 'Conditions',
    one: 'conditions',
    is: (schema: StructuralSchema) =>
      Array.isArray(schema['x-kubernetes-list-map-keys']) &&
      schema['x-kubernetes-list-map-keys'][0] === 'type',
    schema: buildSchema(conditionsSchema),
  },
];

/** docs/kinds.md: every kind with every field, from the schemas. */
export function renderDocs(kinds: readonly KindDefinition[]): string {
  return [INTRODUCTION, ...kinds.map(renderKind), ...SHARED.map(renderShared)].join('\n');
}

function renderShared({ title, schema }: (typeof SHARED)[number]): string {
  const fields = childrenOf(schema, '');
  const rules = fields.flatMap(renderRules);
  return [
    `## ${title}`,
    '',
    ...(typeof schema.description === 'string' ? [schema.description, ''] : []),
    ...renderTable('field', fields, ''),
    ...(rules.length === 0 ? [] : ['Rules:', '', ...rules, '']),
  ].join('\n');
}

function renderKind(kind: KindDefinition): string {
  const { type } = kind;
  const schema = buildObjectSchema(kind);
  const fields = childrenOf(schema, '').filter(({ path }) => /^(spec|status)/.test(path));
  const rules = [
    ...rulesOf(schema).map((message) => `- the whole object: ${message}`),
    ...fields.flatMap(renderRules),
  ];
  return [
    `## ${type.kind}`,
    '',
    kind.description,
    '',
    `${type.namespaced ? 'Namespaced' : 'Cluster-scoped'}; \`kubectl get ${type.plural}\`, or \`${kind.shortName}\`.`,
    '',
    ...renderTable('spec', fields, 'spec.'),
    ...(rules.length === 0 ? [] : ['Rules:', '', ...rules, '']),
    ...renderTable('status', fields, 'status.'),
  ].join('\n');
}

function renderTable(title: string, fields: readonly Field[], prefix: string): string[] {
  const rows = fields
    .filter(({ path }) => path.startsWith(prefix) && !path.endsWith('[]') && !path.endsWith('{}'))
    .map(({ path, schema, required }) => {
      const name = path.slice(prefix.length);
      return `| \`${name}\` | ${typeOf(schema)} | ${need(schema, required)} | ${cell(describe(schema))} |`;
    });
  return [`| ${title} | type | | |`, '| --- | --- | --- | --- |', ...rows, ''];
}

function renderRules({ path, schema }: Field): string[] {
  return rulesOf(schema).map((message) => `- \`${path}\`: ${message}`);
}

function rulesOf(schema: StructuralSchema): string[] {
  const rules = schema['x-kubernetes-validations'];
  return (Array.isArray(rules) ? rules : []).map(({ message }: { message: string }) => message);
}

/** Every field below a schema, in depth-first order. */
function childrenOf(schema: StructuralSchema, path: string): Field[] {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const below = (name: string, child: unknown): Field[] => {
    if (!isSchema(child)) return [];
    const field = {
      path: name,
      schema: child,
      required: required.has(name.slice(name.lastIndexOf('.') + 1)),
    };
    return isShared(child) ? [field] : [field, ...childrenOf(child, name)];
  };
  return [
    ...Object.entries(isSchema(schema.properties) ? schema.properties : {}).flatMap(([name, child]) =>
      below(path === '' ? name : `${path}.${name}`, child),
    ),
    ...below(`${path}[]`, schema.items),
    ...below(`${path}{}`, schema.additionalProperties),
  ];
}

function isShared(schema: StructuralSchema): boolean {
  return SHARED.some(({ is }) => is(schema));
}

function isSchema(value: unknown): value is StructuralSchema {
  return typeof value === 'object' && value !== null;
}

function typeOf(schema: StructuralSchema): string {
  const shared = SHARED.find(({ is }) => is(schema));
  if (shared !== undefined) {
    const anchor = shared.title.toLowerCase().replaceAll(' ', '-');
    return `[${shared.one}](#${anchor})`;
  }
  if (isSchema(schema.items))
    return `list of ${typeOf(schema.items)}${bounds(schema, 'minItems', 'maxItems')}`;
  if (isSchema(schema.additionalProperties)) return `map of ${typeOf(schema.additionalProperties)}`;
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.format === 'date-time') return 'time';
  return `${schema.type}${bounds(schema, 'minimum', 'maximum')}`;
}

function bounds(schema: StructuralSchema, lower: string, upper: string): string {
  const [low, high] = [schema[lower], schema[upper]];
  if (low === undefined && high === undefined) return '';
  if (low === undefined) return ` (at most ${high})`;
  return high === undefined ? ` (at least ${low})` : ` (${low} to ${high})`;
}

function need(schema: StructuralSchema, required: boolean): string {
  if (required) return 'required';
  const fallback = schema.default;
  return fallback === undefined || isSchema(fallback) ? '' : `default \`${fallback}\``;
}

/** What a list is for stands on the list; what its entries are, on the entries, and for objects on their fields. */
function describe(schema: StructuralSchema): string {
  const entries = isSchema(schema.items) && schema.items.type === 'object' ? undefined : schema.items;
  const texts = [schema, entries].flatMap((part) => {
    const text = isSchema(part) ? part.description : undefined;
    return typeof text === 'string' ? text : [];
  });
  return texts.join(' ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
