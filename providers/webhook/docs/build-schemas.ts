import { z } from 'zod';
import {
  CONTRACT_VERSION,
  changeSchema,
  desiredSchema,
  errorSchema,
  findingSchema,
  idSchema,
  OPERATIONS,
  providerSchema,
  stateSchema,
} from '../contract.ts';

/** Everything that has a name in the published schema. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Id: idSchema,
  Provider: providerSchema,
  Desired: desiredSchema,
  State: stateSchema,
  Change: changeSchema,
  Finding: findingSchema,
  Error: errorSchema,
};

/** The contract as one JSON Schema (draft 2020-12): `$defs` has `PlanRequest`, `PlanAnswer`, ..., and what they are made of. */
export function buildSchemas(): object {
  const registry = z.registry<{ id: string }>();
  const named = { ...NAMED };
  for (const { name, request, answer } of Object.values(OPERATIONS)) {
    const title = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
    named[`${title}Request`] = request;
    named[`${title}Answer`] = answer;
  }
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/$defs/${id}` });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `The contract ${CONTRACT_VERSION} of Fairlead's provider webhook`,
    description:
      'Each operation is a POST of <Operation>Request to <url>/v1/<operation>, answered by 200 and <Operation>Answer, or by another status and Error. Both sides ignore fields that they do not know.',
    $defs: Object.fromEntries(Object.keys(named).map((id) => [id, withoutHead(schemas[id] ?? {})])),
  };
}

/** What stands once at the top. */
function withoutHead({ $schema, $id, ...rest }: Record<string, unknown>): object {
  return rest;
}
