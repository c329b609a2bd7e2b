import { expect } from 'chai';
import type { Condition } from '../../../kube/objects.ts';
import {
  buildConditions,
  buildServiceCondition,
  type Outcome,
} from '../../../operator/status/build-conditions.ts';
import {
  buildEvents,
  buildNoteEvents,
  buildStandingEvents,
  type Transition,
} from '../../../operator/status/build-events.ts';

const good: Outcome = {
  provider: 'edge',
  ports: { needed: false },
  addresses: { texts: ['192.0.2.1'] },
  programmed: {},
  notes: [],
};
const finding = (reason: string) => ({ reason, message: `${reason} said.` });

describe('status/build-conditions', () => {
  it('says every condition of a LoadBalancer, and that nobody looked where nobody did', () => {
    const said = buildConditions(good, 3).map(({ type, status }) => `${type} ${status}`);
    expect(said).to.deep.equal([
      'Accepted True',
      'PortsClaimed True',
      'AddressClaimed True',
      'Programmed True',
      'TargetsHealthy Unknown',
      'Drifted Unknown',
      'Ready True',
    ]);
  });

  const cases: [name: string, outcome: Outcome, ready: string][] = [
    ['all is well', good, 'True Ready'],
    ['the provider refuses', { ...good, refused: finding('QuotaExceeded') }, 'False QuotaExceeded'],
    [
      'ports are missing',
      { ...good, ports: { needed: true, finding: finding('PortPoolExhausted') } },
      'False PortPoolExhausted',
    ],
    [
      'the address is missing',
      { ...good, addresses: { texts: [], finding: finding('NoAddressPool') } },
      'False NoAddressPool',
    ],
    [
      'nobody carries it out',
      { ...good, programmed: { finding: finding('NoLiveAgent') } },
      'False NoLiveAgent',
    ],
    ['it did not come so far', { ...good, programmed: undefined }, 'False NotObserved'],
    [
      'several things are wrong: the first of them',
      {
        ...good,
        ports: { needed: true, finding: finding('A') },
        addresses: { texts: [], finding: finding('B') },
      },
      'False A',
    ],
  ];
  for (const [name, outcome, ready] of cases) {
    it(`${name}: Ready is ${ready}, on the LoadBalancer and on the Service alike`, () => {
      const onLoadBalancer = buildConditions(outcome, 3).find(({ type }) => type === 'Ready');
      const onService = buildServiceCondition([outcome], [], undefined);
      expect(`${onLoadBalancer?.status} ${onLoadBalancer?.reason}`).to.equal(ready);
      expect(`${onService.status} ${onService.reason}`).to.equal(ready);
      expect(onLoadBalancer?.observedGeneration).to.equal(3);
    });
  }

  it('says that there is nothing to claim where the provider has addresses of its own', () => {
    const own = buildConditions({ ...good, addresses: { texts: ['x.example'], own: true } }, 3);
    const claimed = own.find(({ type }) => type === 'AddressClaimed');
    expect(claimed).to.include({ status: 'True', reason: 'NotNeeded' });
    expect(own.find(({ type }) => type === 'Ready')?.message).to.contain('x.example');
  });

  const asked = { compared: true, status: { ingress: [], targets: { desired: 3, healthy: 2 } } };
  const repaint = {
    action: 'Update' as const,
    resource: 'Listener',
    summary: 'Paint it blue',
    fields: [{ field: 'colour', expected: 'blue', actual: 'red' }],
  };
  const removal = { action: 'Delete' as const, resource: 'Listener', summary: 'Delete listener 81' };
  const observed: [name: string, outside: NonNullable<Outcome['outside']>, said: string[]][] = [
    ['all is well', asked, ['True 2 of 3', 'False Nothing is known']],
    [
      'no target answers',
      { ...asked, status: { ingress: [], unhealthy: finding('NoHealthyTarget') } },
      ['False NoHealthyTarget said', 'False Nothing'],
    ],
    [
      'somebody changed a field, and it was put back',
      { ...asked, drift: { changes: [repaint], repaired: true } },
      ['True', 'False Put back: Listener colour: expected blue, found red'],
    ],
    [
      'somebody added something, and it is to be left',
      { ...asked, drift: { changes: [removal, repaint], repaired: false } },
      ['True', 'True Changed by somebody else: Delete listener 81; Listener colour'],
    ],
    ['the provider is never compared', { ...asked, compared: false }, ['True', 'Unknown What is at']],
  ];
  for (const [name, outside, said] of observed) {
    it(`of what the provider says: ${name}`, () => {
      const found = buildConditions({ ...good, outside }, 3)
        .filter(({ type }) => type === 'TargetsHealthy' || type === 'Drifted')
        .map(({ status, message }) => `${status} ${message}`);
      expect(found).to.have.length(2);
      for (const [index, text] of found.entries())
        expect(text.startsWith(said[index] ?? '-')).to.equal(true, text);
    });
  }

  it('names the provider when one of several is held up, and repeats no sentence', () => {
    const held = { ...good, provider: 'aws', addresses: { texts: [], finding: finding('NoAddressPool') } };
    const condition = buildServiceCondition([good, held], [finding('Note'), finding('Note')], undefined);
    expect(condition.message).to.equal('aws: NoAddressPool said. Serving at 192.0.2.1. Note said.');
  });

  it('says where it serves, and what is worth saying besides', () => {
    const condition = buildServiceCondition(
      [{ ...good, notes: [finding('AddressOutsidePool')] }],
      [],
      undefined,
    );
    expect(condition.message).to.equal('Serving at 192.0.2.1. AddressOutsidePool said.');
  });
});

describe('status/build-events', () => {
  const ip = (text: string) => [{ ip: text, ipMode: 'VIP' as const }];
  const condition = (status: 'True' | 'False', reason: string): Condition => ({
    type: 'fairlead.dev/LoadBalancerReady',
    status,
    reason,
    message: `${reason} said.`,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const ready = condition('True', 'Ready');
  const quiet: Transition = {
    before: { ingress: ip('1'), condition: ready },
    after: { ingress: ip('1'), condition: ready },
    created: [],
    updated: [],
  };
  const nothing = { ingress: [], condition: undefined };
  const cases: [name: string, transition: Transition, expected: string[]][] = [
    ['nothing changed', quiet, []],
    [
      'it was made and has its address',
      { ...quiet, before: nothing, created: ['web.edge'] },
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    [
      'it was made and has no address',
      {
        ...quiet,
        before: nothing,
        created: ['web.edge'],
        after: { ingress: [], condition: condition('False', 'A') },
      },
      ['EnsuringLoadBalancer', 'SyncLoadBalancerFailed'],
    ],
    [
      'its address moved',
      { ...quiet, after: { ingress: ip('2'), condition: ready }, updated: ['web.edge'] },
      ['UpdatedLoadBalancer'],
    ],
    ['its ports changed', { ...quiet, updated: ['web.edge'] }, ['UpdatedLoadBalancer']],
    [
      'it still fails for the same reason',
      {
        ...quiet,
        before: { ingress: [], condition: condition('False', 'A') },
        after: { ingress: [], condition: condition('False', 'A') },
      },
      [],
    ],
    [
      'it fails for another reason',
      {
        ...quiet,
        before: { ingress: [], condition: condition('False', 'A') },
        after: { ingress: [], condition: condition('False', 'B') },
      },
      ['SyncLoadBalancerFailed'],
    ],
    ['it was paused', { ...quiet, after: { ingress: ip('1'), condition: condition('False', 'Paused') } }, []],
  ];
  for (const [name, transition, expected] of cases) {
    it(`${name}: ${expected.join(', ') || 'silence'}`, () => {
      expect(buildEvents(transition).map(({ reason }) => reason)).to.deep.equal(expected);
    });
  }

  it('tells a note once, as long as the condition goes on saying it', () => {
    expect(buildNoteEvents(undefined, [finding('N')])).to.deep.equal([
      { type: 'Warning', reason: 'N', note: 'N said.' },
    ]);
    expect(buildNoteEvents({ ...ready, message: 'Serving. N said.' }, [finding('N')])).to.deep.equal([]);
  });

  it('knows every Warning that holds, told before or not, and none of what somebody wants', () => {
    const reasons = (...parameters: Parameters<typeof buildStandingEvents>) =>
      buildStandingEvents(...parameters).map(({ reason }) => reason);

    expect(reasons(condition('False', 'A'), [finding('N')])).to.deep.equal(['SyncLoadBalancerFailed', 'N']);
    expect(reasons(ready, [])).to.deep.equal([]);
    expect(reasons(condition('False', 'Paused'), [])).to.deep.equal([]);
    expect(reasons(condition('False', 'Deleting'), [])).to.deep.equal([]);
  });
});
