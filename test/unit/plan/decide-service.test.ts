import { expect } from 'chai';
import {
  decideService,
  type ServiceDecision,
  type ServiceView,
} from '../../../operator/plan/decide-service.ts';
import { FINALIZER, SERVICE_CONDITION } from '../../../operator/plan/names.ts';
import { known, makeLoadBalancer, makeProvider, makeService } from './objects.ts';

const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const marked = { finalizers: [FINALIZER] };
const foreign = { loadBalancerClass: 'example.com/x' };

const decide = (view: Partial<ServiceView>): ServiceDecision =>
  decideService({
    service: makeService(),
    owned: [],
    namespaceLabels: {},
    providers: known(makeProvider('usual', { default: true }), makeProvider('other')),
    ...view,
  });

function textOf(decision: ServiceDecision): string {
  switch (decision.kind) {
    case 'ignore':
      return 'ignore';
    case 'release': {
      const names = decision.loadBalancers.map(({ metadata }) => metadata.name).join(' ');
      return `release ${decision.why} [${names}]${decision.service === undefined ? '' : ' and the Service'}`;
    }
    case 'clear':
      return `clear [${decision.loadBalancers.map(({ metadata }) => metadata.name).join(' ')}]`;
    case 'hold':
      return `hold ${decision.finding.reason}`;
    case 'serve': {
      const surplus = decision.surplus.map(({ metadata }) => metadata.name).join(' ');
      return `serve ${decision.choices.map(({ name }) => name).join(' ')}${surplus === '' ? '' : ` without ${surplus}`}`;
    }
  }
}

const annotated = (annotations: Record<string, string>) => makeService({}, { annotations });
const own = makeLoadBalancer('usual');
const stranger = makeLoadBalancer('usual', { service: { name: 'web', uid: 'uid-before' } });

const cases: [name: string, view: Partial<ServiceView>, expected: string][] = [
  ['a new Service', {}, 'serve usual'],
  ['a Service that is gone', { service: undefined }, 'ignore'],
  [
    'one that is gone and left a LoadBalancer',
    { service: undefined, owned: [own] },
    'release Gone [web.usual]',
  ],
  ['one being deleted that is not ours', { service: makeService({}, deleted) }, 'ignore'],
  [
    'one being deleted that is ours',
    { service: makeService({}, { ...deleted, ...marked }), owned: [own] },
    'release Deleted [web.usual] and the Service',
  ],
  [
    'one being deleted, paused',
    { service: makeService({}, { ...deleted, ...marked, annotations: { 'fairlead.dev/paused': 'true' } }) },
    'release Deleted [] and the Service',
  ],
  ['a LoadBalancer of a Service that had the name before', { owned: [stranger] }, 'clear [web.usual]'],
  [
    'a LoadBalancer of a Service that had the name before, of another class',
    { service: makeService(foreign), owned: [stranger] },
    'release Gone [web.usual]',
  ],
  ['another class', { service: makeService(foreign) }, 'ignore'],
  [
    'another class, with our finalizer',
    { service: makeService(foreign, marked) },
    'release NotWanted [] and the Service',
  ],
  [
    'type ClusterIP, with a LoadBalancer',
    { service: makeService({ type: 'ClusterIP' }), owned: [own] },
    'release NotWanted [web.usual] and the Service',
  ],
  [
    'type ClusterIP, with nothing left but our condition',
    {
      service: {
        ...makeService({ type: 'ClusterIP' }),
        status: {
          conditions: [
            {
              type: SERVICE_CONDITION,
              status: 'False',
              reason: 'R',
              message: '',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      },
    },
    'release NotWanted [] and the Service',
  ],
  ['paused', { service: annotated({ 'fairlead.dev/paused': 'true' }) }, 'hold Paused'],
  [
    'an unreadable annotation',
    { service: annotated({ 'fairlead.dev/scheme': 'x' }) },
    'hold InvalidAnnotation',
  ],
  [
    'an unreadable annotation of a foreign Service',
    {
      service: makeService(foreign, { annotations: { 'fairlead.dev/scheme': 'x' } }),
    },
    'ignore',
  ],
  ['an unknown annotation', { service: annotated({ 'fairlead.dev/colour': 'x' }) }, 'serve usual'],
  [
    'a provider that is not asked for any more',
    { service: annotated({ 'fairlead.dev/providers': 'other' }), owned: [own] },
    'serve other without web.usual',
  ],
  [
    'a LoadBalancer of ours under a name that is not',
    { owned: [own, makeLoadBalancer('usual', {}, { name: 'hand-made' })] },
    'serve usual without hand-made',
  ],
];

describe('plan/decide-service', () => {
  for (const [name, view, expected] of cases) {
    it(`${name}: ${expected}`, () => {
      expect(textOf(decide(view))).to.equal(expected);
    });
  }
});
