import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { type FrontAnswer, type SeenRequest, WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const apiVersion = CONTRACT_VERSION;
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `192.0.2.${10 + index}`).join(' ');

describe('operator: what a webhook does wrong for one Service', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let sample: SampleProcess;
  let front: WebhookFront;
  let provider: string;
  /** By name of the Service, for plan and apply; `hang`: no answer. */
  let faults: Record<string, FrontAnswer | 'hang'>;
  let goOn = () => {};

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    operator = await startTestOperator(await sharedCluster());
    sample = await SampleProcess.start();
    front = await WebhookFront.start(sample);
    provider = `p-${fixture.id}`;
    faults = {};
    const released = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    front.interfere = async ({ operation, body }: SeenRequest) => {
      const name = typeof body.id === 'object' ? Object.assign({ name: '' }, body.id).name : '';
      const fault =
        operation === 'plan' || operation === 'apply' ? faults[name.split('.')[0] ?? ''] : undefined;
      if (fault !== 'hang') return fault;
      await released;
      return undefined;
    };
    const webhook = { url: front.url, parameters: { addresses: ADDRESSES }, timeoutSeconds: 2 };
    await fixture.make(LOAD_BALANCER_PROVIDERS, { metadata: { name: provider }, spec: { webhook } });
  });
  afterEach(async () => {
    faults = {};
    goOn();
    try {
      await fixture.clean();
    } finally {
      await operator.stop();
      await front.stop();
      await sample.remove();
    }
  });

  it('is told on that one, and the others are served meanwhile', async () => {
    const error = (reason: string) => ({ apiVersion, reason, message: `It is ${reason}.` });
    const said: Record<string, [fault: FrontAnswer | 'hang', said: string]> = {
      hangs: ['hang', 'no answer within 2000 ms'],
      breaks: [{ status: 500, body: error('Broken') }, 'Broken: It is Broken.'],
      page: [{ status: 500, body: '<html>Oops</html>' }, 'HTTP 500: <html>Oops</html>'],
      refused: [{ status: 422, body: error('TooMuch') }, 'TooMuch: It is TooMuch.'],
      schema: [{ body: { apiVersion, changes: 'none' } }, 'changes: Invalid input: expected array'],
      text: [{ body: 'fine' }, "it isn't JSON: fine"],
    };
    for (const [name, [fault]] of Object.entries(said)) {
      faults[name] = fault;
      await fixture.service(name);
    }
    await fixture.service('good');
    const address = await fixture.untilAddress('good');
    for (const [name, [, text]] of Object.entries(said)) {
      const service = await fixture.until(
        name,
        (each) => conditionOf(each)?.message.includes(text) ?? false,
        `"${text}"`,
      );
      expect(addressesOf(service), name).to.deep.equal([]);
    }
    await fixture.patch(SERVICES, 'good', { spec: { ports: [{ name: 'http', port: 8080 }] } });
    await waitFor(
      async () => sample.device[`test/${fixture.namespace}/good.${provider}`]?.config ?? {},
      (config) => 'listen 8080/TCP' in config,
      'the good one to be changed',
    );
    expect(addressesOf(await fixture.getService('good'))).to.deep.equal([address]);
  });

  it('is left alone for as long as the server said, whatever happens, but for something else that is wanted', async () => {
    const body = { apiVersion, reason: 'Busy', message: 'Later.' };
    faults.web = { status: 429, body, headers: { 'retry-after': '600' } };
    await fixture.service('web');
    await fixture.until(
      'web',
      (each) => conditionOf(each)?.message.includes('Busy: Later.') ?? false,
      'busy',
    );
    const before = operator.reconciles.length;
    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { colour: 'blue' } } });
    await waitFor(
      async () => operator.reconciles.length,
      (count) => count > before,
      'another turn',
    );
    expect(front.count('plan')).to.equal(1);

    faults = {};
    await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 8080 }] } });
    await fixture.untilAddress('web');
  });

  it('says nothing against the provider, which serves the others', async () => {
    faults.web = { status: 503, body: { apiVersion, reason: 'NoRoom', message: 'Full.' } };
    await fixture.service('web');
    await fixture.until(
      'web',
      (each) => conditionOf(each)?.message.includes('NoRoom: Full.') ?? false,
      'full',
    );
    await fixture.service('good');
    await fixture.untilAddress('good');
    await waitFor(
      async () => await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, provider),
      ({ status }) => findCondition(status?.conditions, 'Ready')?.status === 'True',
      'the provider to be Ready',
    );
  });
});
