import { expect } from 'chai';
import type { Service } from '../../../kube/objects.ts';
import { markChosenNodePorts, readChosenNodePorts } from '../../../operator/reconcile/mark-node-ports.ts';

function chosenOf(managedFields: unknown): string[] {
  const service: Service = { metadata: { name: 'web' }, spec: {} };
  Object.assign(service.metadata, { managedFields });
  const marked = markChosenNodePorts(service);
  expect(JSON.stringify(marked)).to.not.contain('managedFields');
  return [...readChosenNodePorts(marked)];
}

const entry = (manager: string, ports: object) => ({ manager, fieldsV1: { 'f:spec': { 'f:ports': ports } } });
const HTTP = 'k:{"port":80,"protocol":"TCP"}';
const DNS = 'k:{"port":53,"protocol":"UDP"}';

describe('reconcile/mark-node-ports', () => {
  const cases: [name: string, managedFields: unknown, expected: string[]][] = [
    ['nobody wrote a node port', [entry('kubectl', { [HTTP]: { 'f:port': {} } })], []],
    [
      'a person wrote one of two',
      [entry('kubectl', { [HTTP]: { 'f:nodePort': {} }, [DNS]: { '.': {} } })],
      ['80/TCP'],
    ],
    [
      'two managers wrote one each',
      [entry('kubectl', { [HTTP]: { 'f:nodePort': {} } }), entry('argocd', { [DNS]: { 'f:nodePort': {} } })],
      ['80/TCP', '53/UDP'],
    ],
    ['we wrote it', [entry('fairlead', { [HTTP]: { 'f:nodePort': {} } })], []],
    ['there are none', undefined, []],
    [
      'they are of a shape that nobody knows',
      [null, 1, { fieldsV1: 7 }, entry('x', { 'k:{': { 'f:nodePort': {} } })],
      [],
    ],
  ];
  for (const [name, managedFields, expected] of cases) {
    it(`${name}: ${expected.join(' ') || 'none'}`, () => {
      expect(chosenOf(managedFields)).to.deep.equal(expected);
    });
  }

  it('is remembered where neither annotations nor copies lose or invent it', () => {
    const service: Service = { metadata: { name: 'web', annotations: { mine: 'x' } }, spec: {} };
    Object.assign(service.metadata, { managedFields: [entry('kubectl', { [HTTP]: { 'f:nodePort': {} } })] });
    const marked = markChosenNodePorts(service);
    expect(marked.metadata.annotations).to.deep.equal({ mine: 'x' });
    expect([...readChosenNodePorts({ ...marked })]).to.deep.equal(['80/TCP']);
  });
});
