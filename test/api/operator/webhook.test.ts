import { expect } from 'chai';
import type { LoadBalancerProvider } from '../../../crds/load-balancer-provider.ts';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import type { WebhookConfig } from '../../../crds/webhook-provider.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const ADDRESSES = '192.0.2.10, 192.0.2.11';
const NEVER_MS = 3_600_000;

describe('operator: load balancers of the provider webhook, by the sample server', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let sample: SampleProcess;
  let front: WebhookFront;
  let provider: string;

  const start = async (driftIntervalMs: number) => {
    operator = await startTestOperator(await sharedCluster(), { driftIntervalMs });
  };
  const makeProvider = async (webhook: Partial<WebhookConfig> = {}, spec: object = {}) => {
    await fixture.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name: provider },
      spec: { webhook: { url: front.url, parameters: { addresses: ADDRESSES }, ...webhook }, ...spec },
    });
  };
  const entryOf = (service: string) => sample.device[`test/${fixture.namespace}/${service}.${provider}`];
  const untilListening = async (service: string, port: number) =>
    await waitFor(
      async () => entryOf(service)?.config ?? {},
      (config) => `listen ${port}/TCP` in config,
      `the device to listen on ${port}`,
    );
  const listenOn = async (service: string, port: number) =>
    await fixture.patch(SERVICES, service, { spec: { ports: [{ name: 'http', port }] } });
  const untilSaid = async (service: string, text: string) =>
    await fixture.until(service, (each) => conditionOf(each)?.message.includes(text) ?? false, `"${text}"`);
  const untilProvider = async (status: 'True' | 'False') =>
    await waitFor<LoadBalancerProvider>(
      async () => await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, provider),
      (each) => findCondition(each.status?.conditions, 'Ready')?.status === status,
      `the provider to be Ready: ${status}`,
    );
  /** Whatever is owed is done: nothing is asked any more. */
  const untilQuiet = async (service: string) => {
    await fixture.untilReason(service, 'Ready');
    await fixture.untilLoadBalancer(service, ({ status }) => status?.applied !== undefined, 'carried out');
  };

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    provider = `p-${fixture.id}`;
    sample = await SampleProcess.start();
    front = await WebhookFront.start(sample);
  });
  afterEach(async () => {
    front.interfere = () => undefined;
    await fixture.clean();
    await operator.stop();
    await front.stop();
    await sample.remove();
  });

  describe('while nobody looks for drift', () => {
    beforeEach(async () => await start(NEVER_MS));

    it('show the address that the server gives, are changed, and taken away', async () => {
      await makeProvider();
      const { metadata } = await fixture.service('web');

      expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
      await fixture.untilReason('web', 'Ready');
      const { status } = await fixture.getService('web');
      expect(status?.loadBalancer?.ingress).to.deep.equal([{ ip: '192.0.2.10', ipMode: 'Proxy' }]);
      expect(entryOf('web')?.id.serviceUid).to.equal(metadata.uid);
      await untilListening('web', 80);

      await listenOn('web', 8080);
      await untilListening('web', 8080);
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
      expect(entryOf('web')?.config).to.not.have.property('listen 80/TCP');

      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await fixture.untilGone(SERVICES, 'web');
      expect(sample.device).to.deep.equal({});
    });

    it('cost no request while nothing changes, and one each when the operator starts again', async () => {
      await makeProvider();
      await fixture.service('web');
      await untilQuiet('web');
      const worked = operator.reconciles.length;
      front.requests.length = 0;

      await fixture.patch(SERVICES, 'web', { metadata: { annotations: { colour: 'blue' } } });
      await waitFor(
        async () => operator.reconciles.length,
        (count) => count > worked,
        'another turn',
      );
      expect(front.requests).to.deep.equal([]);

      await operator.stop();
      await start(NEVER_MS);
      await waitFor(
        async () => front.requests.map(({ operation }) => operation),
        (operations) => operations.includes('plan'),
        'a plan',
      );
      await listenOn('web', 8080);
      await untilListening('web', 8080);
      const asked = front.requests.map(({ operation }) => operation);
      expect(asked.filter((operation) => operation !== 'validate')).to.deep.equal(['plan', 'plan', 'apply']);
    });

    it('are told with the words of the server that refuses them, and served once the Service is mended', async () => {
      await makeProvider();
      const annotations = { 'fairlead.dev/shared-address': 'front' };
      await fixture.service('web', { annotations });

      const { message } = await fixture.untilReason('web', 'SyncFailed');
      expect(message).to.equal(
        `Provider "${provider}" failed: SharingNotPossible: This device shares no address.`,
      );
      await waitFor(
        async () => operator.events.map(({ reason }) => reason),
        (reasons) => reasons.includes('SyncLoadBalancerFailed'),
        'an Event',
      );
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal([]);

      await fixture.patch(SERVICES, 'web', {
        metadata: { annotations: { 'fairlead.dev/shared-address': null } },
      });
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
    });

    it('wait for a server that takes the configuration, and say on the provider what it has against it', async () => {
      await makeProvider({ parameters: {} });
      await fixture.service('web');

      await untilSaid('web', 'names no address');
      const { status } = await untilProvider('False');
      const ready = findCondition(status?.conditions, 'Ready');
      expect(ready?.reason).to.equal('NoAddresses');
      expect(ready?.message).to.contain('webhook.parameters.addresses');
      expect(front.count('plan')).to.equal(0);

      await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, {
        spec: { webhook: { parameters: { addresses: ADDRESSES } } },
      });
      await fixture.untilAddress('web');
      await untilProvider('True');
    });

    it('keep their addresses while the server is gone, also through a restart, and are changed once it is back', async () => {
      await makeProvider({ url: `http://127.0.0.1:${sample.port}` });
      await fixture.service('web');
      await untilQuiet('web');
      const before = sample.device;
      await sample.kill();

      await listenOn('web', 8080);
      await untilSaid('web', 'ECONNREFUSED');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
      await untilProvider('False');
      await operator.stop();
      await start(NEVER_MS);
      await fixture.service('late');
      await untilSaid('late', 'ECONNREFUSED');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
      expect(sample.device).to.deep.equal(before);

      await sample.start();
      await untilListening('web', 8080);
      await untilQuiet('web');
      expect(await fixture.untilAddress('late')).to.equal('192.0.2.11');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
      await untilProvider('True');
    });

    it('are not taken for deleted before the server has said so', async () => {
      await makeProvider({ url: `http://127.0.0.1:${sample.port}` });
      await fixture.service('web');
      await untilQuiet('web');
      await sample.kill();

      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await untilSaid('web', "can't be deleted");
      await sample.start();
      await fixture.untilGone(SERVICES, 'web');
      expect(sample.device).to.deep.equal({});
    });

    it('tell how long a slow server was waited for, and are served once it is quick', async () => {
      let isSlow = true;
      front.interfere = async () => {
        while (isSlow) await new Promise((resolve) => setTimeout(resolve, 20));
        return undefined;
      };
      await makeProvider({ timeoutSeconds: 1 });
      await fixture.service('web');
      await untilSaid('web', 'no answer within 1000 ms');
      isSlow = false;
      await fixture.untilAddress('web');
    });

    it('end as they ought to where the answers to apply and delete get lost', async () => {
      let lost = 2;
      front.interfere = async (request) => {
        if ((request.operation !== 'apply' && request.operation !== 'delete') || lost === 0) return undefined;
        lost -= 1;
        const target = `http://127.0.0.1:${sample.port}/v1/${request.operation}`;
        await fetch(target, { method: 'POST', body: JSON.stringify(request.body) });
        throw new Error('the answer is lost');
      };
      await makeProvider();
      await fixture.service('web');
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
      expect(Object.keys(sample.device)).to.have.length(1);
      const ids = front.requests.flatMap(({ operation, body }) =>
        operation === 'apply' ? [body.operationId] : [],
      );
      expect(ids).to.have.length(3);
      expect(new Set(ids).size).to.equal(1);

      lost = 1;
      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await fixture.untilGone(SERVICES, 'web');
      expect(sample.device).to.deep.equal({});
    });

    it('say which field of an answer is wrong, and show nothing of it', async () => {
      front.interfere = ({ operation }) =>
        operation === 'apply'
          ? { body: { apiVersion: CONTRACT_VERSION, state: { ingress: [{ ip: '192.0.2.300' }] } } }
          : undefined;
      await makeProvider();
      await fixture.service('web');
      await untilSaid('web', 'state.ingress[0].ip: is no IP address');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal([]);
    });

    it('tell what is waited for as long as the server says so, and ask again then', async () => {
      let isStarting = true;
      front.interfere = ({ operation }) =>
        isStarting && operation !== 'validate' && operation !== 'observe'
          ? {
              body: {
                apiVersion: CONTRACT_VERSION,
                changes: [],
                state: {
                  ingress: [],
                  notReady: { reason: 'DeviceStarts', message: 'The device starts.' },
                  againAfterSeconds: 1,
                },
              },
            }
          : undefined;
      await makeProvider();
      await fixture.service('web');
      expect((await fixture.untilReason('web', 'DeviceStarts')).message).to.equal('The device starts.');
      isStarting = false;
      await fixture.untilAddress('web');
      await fixture.untilReason('web', 'Ready');
    });

    it('listen at the address that a pool gives, and move where another one is asked for', async () => {
      await makeProvider({ addresses: 'Pools', parameters: {} });
      await fixture.pool(['192.0.2.140-192.0.2.149']);
      await fixture.service('web');
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.140');
      expect(entryOf('web')?.config.address).to.equal('192.0.2.140');
      const { spec } = await fixture.getLoadBalancer('web');
      expect(spec.addresses?.map(({ address }) => address)).to.deep.equal(['192.0.2.140']);

      const annotations = { 'fairlead.dev/address': '192.0.2.149' };
      await fixture.patch(SERVICES, 'web', { metadata: { annotations } });
      await fixture.until('web', (each) => addressesOf(each)[0] === '192.0.2.149', 'the other address');
      expect(entryOf('web')?.config.address).to.equal('192.0.2.149');
      await fixture.untilLoadBalancer('web', (each) => each.spec.addresses?.length === 1, 'one claim left');
    });

    it('are served soon after the server takes the configuration, though their own turns would wait for longer', async () => {
      const message = 'The device is being serviced.';
      front.interfere = ({ operation }) =>
        operation === 'validate'
          ? { body: { apiVersion: CONTRACT_VERSION, findings: [{ reason: 'InService', message }] } }
          : undefined;
      await makeProvider();
      await fixture.service('web');
      await untilSaid('web', message);
      await untilProvider('False');
      front.interfere = () => undefined;

      await fixture.untilAddress('web');
      await untilProvider('True');
    });

    it('need not be there for the provider to say that nobody answers', async () => {
      await makeProvider({ url: `http://127.0.0.1:${sample.port}` });
      await untilProvider('True');
      await sample.kill();
      await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, { spec: { webhook: { retries: 0 } } });
      const { status } = await untilProvider('False');
      expect(findCondition(status?.conditions, 'Ready')?.reason).to.equal('ConnectionRefused');
    });

    it('are left where they are with deletion: Retain', async () => {
      await makeProvider({}, { deletion: 'Retain' });
      await fixture.service('web');
      await untilQuiet('web');
      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await fixture.untilGone(SERVICES, 'web');
      expect(entryOf('web')?.config.address).to.equal('192.0.2.10');
    });
  });

  describe('while drift is looked for', () => {
    beforeEach(async () => await start(300));

    const paint = () =>
      sample.editDevice((device) => {
        for (const { config } of Object.values(device)) config.allow = '10.0.0.0/8';
      });

    it('are put back where the policy is Repair', async () => {
      await makeProvider();
      await fixture.service('web');
      await untilQuiet('web');
      paint();
      await waitFor(
        async () => entryOf('web')?.config.allow,
        (allow) => allow === 'everybody',
        'the device to be put right',
      );
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
    });

    it('are only told, with the field, where the policy is Report', async () => {
      await makeProvider({}, { drift: { policy: 'Report', intervalSeconds: 30 } });
      await fixture.service('web');
      await untilQuiet('web');
      paint();

      const { status } = await fixture.untilLoadBalancer(
        'web',
        (each) => findCondition(each.status?.conditions, 'Drifted')?.status === 'True',
        'to be told as drifted',
      );
      const message = findCondition(status?.conditions, 'Drifted')?.message;
      expect(message).to.contain('VirtualServer allow: expected everybody, found 10.0.0.0/8');
      expect(entryOf('web')?.config.allow).to.equal('10.0.0.0/8');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10']);
    });

    it('are made at another server where the provider names one, and that is no drift', async () => {
      const other = await SampleProcess.start();
      try {
        await makeProvider({}, { drift: { policy: 'Report', intervalSeconds: 30 } });
        await fixture.service('web');
        await untilQuiet('web');
        await fixture.patch(LOAD_BALANCER_PROVIDERS, provider, {
          spec: { webhook: { url: `http://127.0.0.1:${other.port}` } },
        });
        await waitFor(
          async () => Object.keys(other.device),
          (keys) => keys.length === 1,
          'the other device to have it',
        );
        await fixture.client.delete(SERVICES, fixture.namespace, 'web');
        await fixture.untilGone(SERVICES, 'web');
        expect(other.device).to.deep.equal({});
      } finally {
        await other.remove();
      }
    });

    it('are made again where somebody took them away', async () => {
      await makeProvider();
      await fixture.service('web');
      await untilQuiet('web');
      sample.editDevice((device) => {
        for (const key of Object.keys(device)) delete device[key];
      });
      await untilListening('web', 80);
      await fixture.untilReason('web', 'Ready');
    });

    it('go when their Service went unseen; what is of others stays', async () => {
      const foreign = { clusterId: 'other', namespace: 'n', name: `web.${provider}`, serviceUid: 'u' };
      const gone = {
        clusterId: 'test',
        namespace: fixture.namespace,
        name: `gone.${provider}`,
        serviceUid: 'u',
      };
      await makeProvider();
      await fixture.service('web');
      await untilQuiet('web');
      const made = (id: typeof foreign, address: string) => ({ id, config: { address } });
      sample.editDevice((device) => {
        device[`other/n/web.${provider}`] = made(foreign, '192.0.2.11');
        device[`test/${fixture.namespace}/gone.${provider}`] = made(gone, '192.0.2.12');
        device[`test/n/web.another`] = made({ ...gone, name: 'web.another' }, '192.0.2.13');
      });

      await waitFor(
        async () => Object.keys(sample.device),
        (keys) => !keys.some((key) => key.includes('/gone.')),
        'the orphan to go',
      );
      expect(Object.keys(sample.device)).to.include.members([
        `other/n/web.${provider}`,
        'test/n/web.another',
      ]);
      expect(entryOf('web')).to.not.equal(undefined);
    });
  });
});
