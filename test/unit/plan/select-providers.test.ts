import { expect } from 'chai';
import {
  type Selection,
  type SelectionInput,
  selectProviders,
} from '../../../operator/plan/select-providers.ts';
import { known, makeLoadBalancer, makeProvider, makeService } from './objects.ts';

const providers = known(
  makeProvider('plain'),
  makeProvider('usual', { default: true }),
  makeProvider('fenced', { tenants: { namespaceSelector: { matchLabels: { team: 'a' } } } }),
  makeProvider('leaving', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
);
providers.set('broken', {
  object: makeProvider('broken'),
  findings: [{ reason: 'X', message: 'It is broken.' }],
});

const select = (input: Partial<SelectionInput>): Selection =>
  selectProviders({
    service: makeService(),
    asked: undefined,
    namespaceLabels: {},
    providers,
    owned: [],
    ...input,
  });

/** `name` or `name:Reason`, in order. */
function textOf(selection: Selection): string {
  if (selection.kind === 'foreign') return 'foreign';
  if (selection.kind === 'undecided') return `undecided:${selection.refusal.reason}`;
  return selection.choices
    .map(({ name, refusal }) => (refusal === undefined ? name : `${name}:${refusal.reason}`))
    .join(' ');
}

const withClass = (name: string) => makeService({ loadBalancerClass: name });
const nodePort = makeService({ type: 'NodePort' });

const cases: [name: string, input: Partial<SelectionInput>, expected: string][] = [
  ['no class: the default', {}, 'usual'],
  ['a class of ours: the provider that it names', { service: withClass('fairlead.dev/plain') }, 'plain'],
  ['a class of ours that names nobody', { service: withClass('fairlead.dev/no') }, 'no:ProviderNotFound'],
  ['another class', { service: withClass('example.com/x') }, 'foreign'],
  ['another class, whatever the annotation says', { service: withClass('x'), asked: ['plain'] }, 'foreign'],
  ['our prefix with nothing behind it', { service: withClass('fairlead.dev/') }, 'foreign'],
  ['several asked for, in their order', { asked: ['plain', 'usual'] }, 'plain usual'],
  [
    'a class, and several asked for',
    { service: withClass('fairlead.dev/usual'), asked: ['plain', 'usual'] },
    'plain usual',
  ],
  ['type NodePort with the annotation', { service: nodePort, asked: ['plain'] }, 'plain'],
  ['type NodePort without it', { service: nodePort }, 'foreign'],
  ['type ClusterIP', { service: makeService({ type: 'ClusterIP' }), asked: ['plain'] }, 'foreign'],
  ['no class and no default', { providers: known(makeProvider('plain')) }, 'foreign'],
  [
    'no class and two defaults',
    { providers: known(makeProvider('a', { default: true }), makeProvider('b', { default: true })) },
    'undecided:AmbiguousDefaultProvider',
  ],
  [
    'no class, two defaults, one on its way out',
    {
      providers: known(
        makeProvider('a', { default: true }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
        makeProvider('b', { default: true }),
      ),
    },
    'b',
  ],
  ['no class, served by another than the default already', { owned: [makeLoadBalancer('plain')] }, 'plain'],
  ['no class, served by one that is gone', { owned: [makeLoadBalancer('gone')] }, 'gone:ProviderNotFound'],
  ['a namespace that the provider is not for', { asked: ['fenced'] }, 'fenced:NamespaceNotAllowed'],
  ['a namespace that it is for', { asked: ['fenced'], namespaceLabels: { team: 'a' } }, 'fenced'],
  [
    'a namespace of which nothing is known',
    { asked: ['fenced'], namespaceLabels: undefined },
    'fenced:NamespaceNotAllowed',
  ],
  ['a provider on its way out', { asked: ['leaving'] }, 'leaving:ProviderNotFound'],
  ['a provider whose configuration is wrong', { asked: ['broken'] }, 'broken:ProviderNotAccepted'],
  ['one of two that is not there', { asked: ['plain', 'no'] }, 'plain no:ProviderNotFound'],
];

describe('plan/select-providers', () => {
  for (const [name, input, expected] of cases) {
    it(`${name}: ${expected}`, () => {
      expect(textOf(select(input))).to.equal(expected);
    });
  }
});
