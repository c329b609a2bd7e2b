import { expect } from 'chai';
import type { ProviderType } from '../../../crds/common.ts';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import type { Condition } from '../../../kube/objects.ts';
import { SERVICES } from '../../../kube/resources.ts';
import type { Provider } from '../../../providers/provider.ts';
import { sharedCluster } from '../support/cluster.ts';
import { Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';
import { WatchedProvider } from './support/watched-provider.ts';

describe('operator: what somebody else changed at a provider', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let outside: WatchedProvider;
  /** `Drifted` as it was told of any LoadBalancer, also where the next turn told otherwise a moment later. */
  let told: Condition[];

  const start = async () => {
    operator = await startTestOperator(await sharedCluster(), {
      driftIntervalMs: 200,
      providers: () => new Map<ProviderType, Provider>([['announce', outside]]),
    });
    operator.controller.caches.loadBalancers.store.onChange(({ object }) => {
      const condition = findCondition(object.status?.conditions, 'Drifted');
      if (object.metadata.namespace === fixture.namespace && condition !== undefined) told.push(condition);
    });
  };
  beforeEach(async () => {
    outside = new WatchedProvider();
    told = [];
    fixture = await Fixture.create(await sharedCluster());
    await start();
  });
  afterEach(async () => {
    outside.unreadable.clear();
    await fixture.clean();
    await operator.stop();
  });

  const serve = async (policy: 'Repair' | 'Report') => {
    await fixture.provider({ drift: { policy, intervalSeconds: 30 } });
    await fixture.pool(['192.0.2.100-192.0.2.109']);
    await fixture.service('web');
    await fixture.untilLoadBalancer(
      'web',
      ({ status }) => status?.applied !== undefined,
      'to be carried out',
    );
    return `${fixture.namespace}/web.p-${fixture.id}`;
  };
  const driftOf = (status: 'True' | 'False', reason: string) =>
    fixture.untilLoadBalancer(
      'web',
      (each) => {
        const condition = findCondition(each.status?.conditions, 'Drifted');
        return condition?.status === status && condition.reason === reason;
      },
      `Drifted ${status} for ${reason}`,
    );

  it('is put back, and told with the field, where the policy is Repair', async () => {
    const name = await serve('Repair');
    outside.repainted.add(name);

    const repaired = await waitFor(
      async () => told.find(({ reason }) => reason === 'Repaired'),
      (condition) => condition !== undefined,
      'the repair to be told',
    );
    expect(repaired?.status).to.equal('False');
    expect(repaired?.message).to.contain('colour: expected blue, found red');
    expect(outside.repainted.size).to.equal(0);
    expect(outside.repaints).to.equal(1);
  });

  it('is only told where the policy is Report, until it is gone or something else is wanted', async () => {
    const name = await serve('Report');
    outside.repainted.add(name);

    const drifted = await driftOf('True', 'ChangedOutside');
    expect(findCondition(drifted.status?.conditions, 'Drifted')?.message).to.contain('found red');
    expect(outside.repaints).to.equal(0);
    outside.repainted.delete(name);
    await driftOf('False', 'InSync');
    expect(outside.repaints).to.equal(0);
  });

  it('is put back as soon as it was read, though a look at all of them takes long', async () => {
    const name = await serve('Repair');
    let end = () => {};
    outside.roundEnds = new Promise((resolve) => {
      end = resolve;
    });
    outside.repainted.add(name);

    await waitFor(
      async () => outside.repaints,
      (repaints) => repaints === 1,
      'it to be put back',
    );
    end();
  });

  it('is told apart from work that was not done yet', async () => {
    const name = await serve('Report');
    outside.repainted.add(name);
    await driftOf('True', 'ChangedOutside');

    await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 81 }] } });

    await waitFor(
      async () => outside.repaints,
      (repaints) => repaints === 1,
      'what is wanted now to be carried out, whatever was there',
    );
  });

  it('is told apart from what is wanted otherwise, though nothing told so: that is carried out at the next look', async () => {
    await serve('Report');
    const { status: before } = await fixture.getLoadBalancer('web');

    outside.fashion = 'striped';

    const { status } = await fixture.untilLoadBalancer(
      'web',
      (each) => each.status?.applied !== before?.applied,
      'what is wanted now to be carried out',
    );
    expect(findCondition(status?.conditions, 'Drifted')?.status).not.to.equal('True');
  });

  it('is not looked for at what an operator before this one carried out: nothing but the ownership', async () => {
    await serve('Repair');
    await operator.stop();
    outside.assumed.length = 0;

    await start();
    await waitFor(
      async () => outside.assumed.length,
      (count) => count > 0,
      'the provider to be asked',
    );

    expect(outside.assumed[0]).to.not.equal(undefined);
  });

  it('counts targets as the provider does', async () => {
    await serve('Repair');

    const { status } = await fixture.getLoadBalancer('web');

    expect(status?.targets).to.deep.equal({ desired: 2, healthy: 1 });
    expect(findCondition(status?.conditions, 'TargetsHealthy')?.message).to.contain('1 of 2');
  });

  const orphan = (service: string) => ({
    clusterId: 'test',
    namespace: fixture.namespace,
    name: `${service}.p-${fixture.id}`,
    serviceUid: 'somebody',
  });
  const leave = (service = 'gone') => {
    const id = orphan(service);
    outside.leftOver.set(`${id.namespace}/${id.name}`, id);
    outside.made.add(`${id.namespace}/${id.name}`);
  };
  const orphansTold = () =>
    waitFor(
      async () =>
        findCondition(
          (await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, `p-${fixture.id}`)).status
            ?.conditions,
          'Orphans',
        ),
      (condition) => condition?.message.includes(`${fixture.namespace}/gone.p-${fixture.id}`) === true,
      'the orphan to be told',
    );

  it('lists what is left of Services that are gone, and takes it away where deletion is Delete', async () => {
    await serve('Repair');
    leave();

    await waitFor(
      async () => outside.made.has(`${fixture.namespace}/gone.p-${fixture.id}`),
      (there) => !there,
      'the orphan to be taken away',
    );
    expect(outside.made.has(`${fixture.namespace}/web.p-${fixture.id}`)).to.equal(true);
  });

  it('never takes what a LoadBalancer stands for, whatever is written on it there', async () => {
    const name = await serve('Repair');
    const [namespace = '', loadBalancer = ''] = name.split('/');
    // As it reads once somebody edited the tag of the Service's uid.
    outside.leftOver.set(name, { clusterId: 'test', namespace, name: loadBalancer, serviceUid: '' });
    leave();

    await waitFor(
      async () => outside.made.has(`${fixture.namespace}/gone.p-${fixture.id}`),
      (there) => !there,
      'a look at what is left over',
    );
    expect(outside.made.has(name)).to.equal(true);
  });

  it('never takes what a Service wants again that came while others were taken away', async () => {
    await serve('Repair');
    const changed: string[] = [];
    outside.beforeApply = async ({ name }) => {
      changed.push(name);
      if (name !== orphan('first').name) return;
      await fixture.service('back');
      await fixture.untilLoadBalancer('back', ({ status }) => status?.applied !== undefined, 'to be served');
    };
    leave('first');
    leave('back');
    const untilTaken = (service: string) =>
      waitFor(
        async () => outside.made.has(`${fixture.namespace}/${orphan(service).name}`),
        (there) => !there,
        `${service} to be taken away`,
      );
    await untilTaken('first');
    // By a look of its own, after the one that was at the first.
    leave('gone');
    await untilTaken('gone');

    expect(changed).to.deep.equal([orphan('first').name, orphan('gone').name]);
  });

  it('goes on with the others when one of them can not be looked at', async () => {
    const name = await serve('Repair');
    await fixture.service('other');
    await fixture.untilLoadBalancer(
      'other',
      ({ status }) => status?.applied !== undefined,
      'to be carried out',
    );
    outside.unreadable.add(name);
    outside.repainted.add(`${fixture.namespace}/other.p-${fixture.id}`);

    await waitFor(
      async () => outside.repaints,
      (repaints) => repaints === 1,
      'the other to be put back',
    );
  });

  it('lists it, and leaves it, where deletion is Retain', async () => {
    await serve('Repair');
    await fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${fixture.id}`, { spec: { deletion: 'Retain' } });
    // Only what is seen from now on counts.
    await waitFor(
      async () => operator.controller.caches.providers.store.get(`p-${fixture.id}`)?.spec.deletion,
      (deletion) => deletion === 'Retain',
      'the operator to know of it',
    );
    leave();

    await orphansTold();
    expect(outside.made.has(`${fixture.namespace}/gone.p-${fixture.id}`)).to.equal(true);
  });
});
