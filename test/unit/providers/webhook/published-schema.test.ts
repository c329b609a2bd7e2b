import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import type { z } from 'zod';
import { CONTRACT_VERSION, errorSchema, OPERATIONS } from '../../../../providers/webhook/contract.ts';
import { buildSchemas } from '../../../../providers/webhook/docs/build-schemas.ts';

const DOCS = new URL('../../../../docs/providers/webhook.md', import.meta.url);
const SAMPLE = new URL('../../../../config/samples/webhook/server.mjs', import.meta.url);

/** Without formats: ajv has none of its own, and says so for each. */
function published(name: string): (body: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const { $defs, ...head } = Object.assign({ $defs: {} }, buildSchemas());
  return ajv.compile({ ...head, $defs, $ref: `#/$defs/${name}` });
}

function examples(): unknown[] {
  const blocks = readFileSync(DOCS, 'utf8').matchAll(/```json\n([\s\S]*?)```/g);
  return [...blocks].map(([, text = '']) => JSON.parse(text));
}

describe('providers/webhook: the published schema', () => {
  it('has request and answer of every operation, and what they are made of', () => {
    const { $defs } = Object.assign({ $defs: {} }, buildSchemas());
    const names = Object.keys($defs);
    for (const name of ['Plan', 'Apply', 'Observe', 'Delete', 'Validate']) {
      expect(names).to.include.members([`${name}Request`, `${name}Answer`]);
      for (const kind of ['Request', 'Answer']) expect(published(`${name}${kind}`)({})).to.equal(false);
    }
    expect(JSON.stringify($defs))
      .to.contain('"$ref":"#/$defs/State"')
      .and.to.not.contain('additionalProperties":false');
  });

  const example: [name: string, index: number, schema: z.ZodType][] = [
    ['ApplyRequest', 0, OPERATIONS.apply.request],
    ['ApplyAnswer', 1, OPERATIONS.apply.answer],
    ['ValidateAnswer', 2, OPERATIONS.validate.answer],
    ['PlanAnswer', 3, OPERATIONS.plan.answer],
    ['ObserveAnswer', 4, OPERATIONS.observe.answer],
    ['DeleteAnswer', 5, OPERATIONS.delete.answer],
    ['Error', 6, errorSchema],
  ];
  for (const [name, index, schema] of example) {
    it(`takes the ${name} of the docs, as the contract does`, () => {
      const body = examples()[index];
      expect(published(name)(body)).to.equal(true);
      expect(schema.parse(body)).to.deep.equal(body);
    });
  }

  const answer = (state: unknown) => ({ apiVersion: CONTRACT_VERSION, changes: [], state });
  const bodies: [name: string, body: unknown, isGood: boolean][] = [
    ['an address', answer({ ingress: [{ ip: '192.0.2.1' }] }), true],
    ['a name', answer({ ingress: [{ hostname: 'lb.example.com' }] }), true],
    ['fields that nobody knows', { ...answer({ ingress: [], shape: 'round' }), colour: 'blue' }, true],
    ['neither address nor name', answer({ ingress: [{}] }), false],
    ['both', answer({ ingress: [{ ip: '192.0.2.1', hostname: 'lb.example.com' }] }), false],
    ['a name in capitals', answer({ ingress: [{ hostname: 'LB' }] }), false],
    ['no state', answer(undefined), false],
    ['a reason of two words', answer({ ingress: [], notReady: { reason: 'a b', message: 'c' } }), false],
    ['another version', { ...answer({ ingress: [] }), apiVersion: 'provider.fairlead.dev/v2' }, false],
    ['an hour and a second', answer({ ingress: [], againAfterSeconds: 3601 }), false],
  ];
  for (const [name, body, isGood] of bodies) {
    it(`${isGood ? 'takes' : 'refuses'} ${name}, as Fairlead does`, () => {
      const sent: unknown = JSON.parse(JSON.stringify(body));
      expect(OPERATIONS.plan.answer.safeParse(sent).success).to.equal(isGood);
      expect(published('PlanAnswer')(sent)).to.equal(isGood);
    });
  }

  it('is enough for a server of less than a hundred lines', () => {
    expect(readFileSync(SAMPLE, 'utf8').trimEnd().split('\n').length).to.be.below(100);
  });
});
