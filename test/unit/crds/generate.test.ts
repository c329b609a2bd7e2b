import { expect } from 'chai';
import { buildObjectSchema } from '../../../crds/build-crd.ts';
import { generatedFiles, staleFiles } from '../../../crds/generate.ts';
import { KINDS } from '../../../crds/kinds.ts';

/** Every schema below `node`, with its path. */
function schemas(node: unknown, path: string): [path: string, schema: Record<string, unknown>][] {
  if (typeof node !== 'object' || node === null) return [];
  const schema: Record<string, unknown> = { ...node };
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    schemas(child, `${path}.${name}`),
  );
  return [
    [path, schema],
    ...properties,
    ...schemas(schema.items, `${path}[]`),
    ...schemas(schema.additionalProperties, `${path}{}`),
  ];
}

const all = KINDS.flatMap((kind) => schemas(buildObjectSchema(kind), kind.type.kind));

describe('The generated CRDs and their documentation', () => {
  it('are up to date', () => {
    expect(staleFiles()).to.deep.equal([]);
  });

  it('notice a file that was changed by hand', () => {
    const [path = '', text = ''] = [...generatedFiles()][0] ?? [];

    const stale = staleFiles(new Map([...generatedFiles(), [path, text.replace('Address', 'Adress')]]));

    expect(stale).to.have.length(1);
    expect(stale[0]).to.match(/: line \d+ is ".*Address.*", ought to be ".*Adress.*"$/);
  });

  it('describe every field', () => {
    const silent = all.filter(([path, schema]) => !path.endsWith('.metadata') && !schema.description);

    expect(silent.map(([path]) => path)).to.deep.equal([]);
  });

  it('bound every list, map and string that people or programs write', () => {
    const unbounded = all.filter(([path, schema]) => {
      if (/\.(apiVersion|kind|metadata|lastTransitionTime)$/.test(path)) return false;
      if (schema.type === 'array') return schema.maxItems === undefined;
      if (schema.type === 'string') return schema.maxLength === undefined && schema.enum === undefined;
      return schema.additionalProperties !== undefined && schema.maxProperties === undefined;
    });

    expect(unbounded.map(([path]) => path)).to.deep.equal([]);
  });

  it('have nothing that a structural schema may not have', () => {
    const banned = ['$schema', '$ref', 'oneOf', 'anyOf', 'allOf', 'not', 'const', 'propertyNames'];
    const found = all.filter(
      ([, schema]) =>
        banned.some((key) => key in schema) || ('properties' in schema && 'additionalProperties' in schema),
    );

    expect(found.map(([path]) => path)).to.deep.equal([]);
  });
});
