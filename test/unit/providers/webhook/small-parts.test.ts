import { expect } from 'chai';
import { loadBalancerProviderSpecSchema } from '../../../../crds/load-balancer-provider.ts';
import { Slots } from '../../../../providers/webhook/calls/slots.ts';
import type { Desired, Id, PlannedChange } from '../../../../providers/webhook/contract.ts';
import { diffWebhook } from '../../../../providers/webhook/diff-webhook.ts';
import { NOTHING_THERE, type WebhookObserved } from '../../../../providers/webhook/observed.ts';
import { Remembered } from '../../../../providers/webhook/remembered.ts';
import { tellStatus } from '../../../../providers/webhook/tell-status.ts';
import { validateWebhook } from '../../../../providers/webhook/validate-webhook.ts';

const DESIRED: Desired = {
  scheme: 'Public',
  ipFamilies: [],
  frontends: [],
  targetsMode: 'NodePort',
  drainSeconds: 0,
  externalTrafficPolicy: 'Cluster',
};
const seen = (changes: PlannedChange[], more: Partial<WebhookObserved['state']> = {}): WebhookObserved => ({
  changes,
  exists: true,
  state: { ingress: [{ ip: '192.0.2.1' }], ...more },
});
const update = (resource: string, field: string): PlannedChange => ({
  action: 'Update',
  resource,
  summary: `Change ${field}`,
  fields: [{ field, actual: 'red', expected: 'blue' }],
});

describe('providers/webhook: what is to be done', () => {
  const diff = (changes: PlannedChange[]) =>
    diffWebhook({ url: '', parameters: {}, desired: DESIRED }, seen(changes));

  it('is nothing where the server plans nothing', () => {
    expect(diff([])).to.deep.equal([]);
  });

  it('is one step for all that the server plans, with every field', () => {
    const [change, ...more] = diff([update('Pool', 'members'), update('Pool', 'monitor')]);
    expect(more).to.deep.equal([]);
    expect(change).to.deep.include({
      action: 'Update',
      resource: 'Pool',
      summary: 'Change members; Change monitor',
      desired: DESIRED,
    });
    expect(change?.fields?.map(({ field }) => field)).to.deep.equal(['members', 'monitor']);
  });

  it('names the resource with the field where there are several', () => {
    const [change] = diff([update('Pool', 'members'), update('Monitor', 'path')]);
    expect(change).to.include({ resource: 'LoadBalancer' });
    expect(change?.fields?.map(({ field }) => field)).to.deep.equal(['Pool members', 'Monitor path']);
  });

  it('is told by its summary where a change names no field', () => {
    const creation: PlannedChange = { action: 'Create', resource: 'Pool', summary: 'Create the pool' };
    const [change] = diff([update('Pool', 'members'), creation]);
    expect(change).to.not.have.property('fields');
    expect(diff([creation])[0]).to.include({ action: 'Create', summary: 'Create the pool' });
  });

  it('does not become longer than a condition takes', () => {
    const many = Array.from({ length: 256 }, (_, index) => update(`R${index}`, 'x'.repeat(200)));
    expect(JSON.stringify(diff(many)).length).to.be.below(32_768);
    expect(diff(many)[0]?.summary).to.contain('and 240 more');
  });

  it('is a deletion of what nobody asks for, if it is there', () => {
    expect(diffWebhook(undefined, seen([])).map(({ action, desired }) => [action, desired])).to.deep.equal([
      ['Delete', undefined],
    ]);
    expect(diffWebhook(undefined, NOTHING_THERE)).to.deep.equal([]);
  });
});

describe('providers/webhook: what is told of it', () => {
  it('is what the server says', () => {
    const finding = { reason: 'MembersDown', message: 'One of two is down.' };
    const state = {
      providerID: '/Common/web',
      ingress: [{ ip: '192.0.2.1', ipMode: 'Proxy' as const }, { hostname: 'lb.example.com' }],
      targets: { desired: 2, healthy: 1 },
      unhealthy: finding,
      healthyPods: ['web-1'],
      againAfterSeconds: 20,
    };
    expect(tellStatus({ changes: [], exists: true, state })).to.deep.equal(state);
  });

  it('is that it is not there yet, and when to look again', () => {
    const status = tellStatus(seen([], { ingress: [] }));
    expect(status.notProgrammed?.reason).to.equal('NoAddress');
    expect(status.againAfterSeconds).to.equal(5);
    const notReady = { reason: 'Starting', message: 'The device starts.' };
    expect(tellStatus(seen([], { notReady }))).to.deep.include({
      notProgrammed: notReady,
      againAfterSeconds: 5,
    });
  });
});

describe('providers/webhook: what is remembered', () => {
  const id: Id = { clusterId: 'c', namespace: 'n', name: 'web.own', serviceUid: 'u1' };

  it('is the last word of the server, for what is wanted and for that Service alone', () => {
    const remembered = new Remembered();
    remembered.note(id, 'a', seen([]));
    for (let time = 0; time < 3; time++) expect(remembered.take(id, 'a')).to.deep.equal(seen([]));
    expect(remembered.take(id, 'b')).to.equal(undefined);
    expect(remembered.take({ ...id, serviceUid: 'u2' }, 'a')).to.equal(undefined);
    remembered.forget(id);
    expect(remembered.take(id, 'a')).to.equal(undefined);
  });

  const passing: [name: string, observed: WebhookObserved][] = [
    ['has something to do', seen([update('Pool', 'members')])],
    ['waits', seen([], { notReady: { reason: 'Starting', message: 'It starts.' } })],
    ['wants to be asked again', seen([], { againAfterSeconds: 5 })],
    ['has no address', seen([], { ingress: [] })],
  ];
  for (const [name, observed] of passing) {
    it(`is told once where the server ${name}`, () => {
      const remembered = new Remembered();
      remembered.note(id, 'a', observed);
      expect(remembered.take(id, 'a')).to.equal(observed);
      expect(remembered.take(id, 'a')).to.equal(undefined);
    });
  }

  it('is told once of what is gone', () => {
    const remembered = new Remembered();
    remembered.note(id, undefined, NOTHING_THERE);
    expect(remembered.take(id, undefined)).to.equal(NOTHING_THERE);
    expect(remembered.take(id, undefined)).to.equal(undefined);
  });

  it('goes with those that a look at all of them did not find', () => {
    const remembered = new Remembered();
    const other = { ...id, name: 'web.other' };
    const gone = { ...id, name: 'gone.own' };
    for (const each of [id, other, gone]) remembered.note(each, 'a', seen([]));
    remembered.forgetOthers('own', [id]);
    expect([id, other, gone].map((each) => remembered.take(each, 'a') !== undefined)).to.deep.equal([
      true,
      true,
      false,
    ]);
  });
});

describe('providers/webhook: small parts', () => {
  it('refuses an address that the API server takes and Node does not', () => {
    const spec = loadBalancerProviderSpecSchema.parse({ webhook: { url: 'https://[fe80::1%25eth0]/' } });
    expect(validateWebhook(spec).map(({ reason }) => reason)).to.deep.equal(['InvalidURL']);
  });

  it('lets so many go at once, the others in their order, and forgets who gives up', async () => {
    const slots = new Slots(1);
    const { signal } = new AbortController();
    const order: string[] = [];
    const first = await slots.take(signal);
    const giving = new AbortController();
    const second = slots.take(giving.signal).catch(() => order.push('gave up'));
    const third = slots.take(signal).then((release) => {
      order.push('third');
      return release;
    });
    giving.abort();
    await second;
    first();
    first();
    const release = await third;
    let isFree = false;
    const fourth = slots.take(signal).then((give) => {
      isFree = true;
      return give;
    });
    await Promise.resolve();
    expect(isFree).to.equal(false);
    release();
    (await fourth)();
    expect(order).to.deep.equal(['gave up', 'third']);
  });
});
