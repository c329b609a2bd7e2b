import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import type { WebhookConfig } from '../../../crds/webhook-provider.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';
import { sharedCluster } from '../support/cluster.ts';
import { Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const ADDRESSES = '192.0.2.10, 192.0.2.11';

describe('operator: load balancers of the provider webhook, by the sample server', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let sample: SampleProcess;
  let front: WebhookFront;
  let provider: string;

  const start = async () => {
    operator = await startTestOperator(await sharedCluster(), { driftIntervalMs: 300 });
  };
  const makeProvider = async (webhook: Partial<WebhookConfig> = {}, spec: object = {}) => {
    await fixture.make(LOAD_BALANCER_PROVIDERS, {
      metadata: { name: provider },
      spec: { webhook: { url: front.url, parameters: { addresses: ADDRESSES }, ...webhook }, ...spec },
    });
  };
  const keyOf = (service: string) => `test/${fixture.namespace}/${service}.${provider}`;

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    provider = `p-${fixture.id}`;
    sample = await SampleProcess.start();
    front = await WebhookFront.start(sample);
    await start();
  });
  afterEach(async () => {
    front.interfere = () => undefined;
    await fixture.clean();
    await operator.stop();
    await front.stop();
    await sample.remove();
  });

  it('show the address that the server gives, are changed, and taken away', async () => {
    await makeProvider();
    await fixture.service('web');

    expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
    await fixture.untilReason('web', 'Ready');
    const { status } = await fixture.getService('web');
    expect(status?.loadBalancer?.ingress).to.deep.equal([{ ip: '192.0.2.10', ipMode: 'Proxy' }]);
    const { spec, metadata } = await fixture.getService('web');
    const entry = sample.device[keyOf('web')];
    expect(entry?.id.serviceUid).to.equal(metadata.uid);
    expect(entry?.config).to.have.property('listen 80/TCP');

    await fixture.patch(SERVICES, 'web', {
      spec: { ports: [...(spec.ports ?? []), { name: 'tls', port: 443 }] },
    });
    await waitFor(
      async () => sample.device[keyOf('web')]?.config ?? {},
      (config) => 'listen 443/TCP' in config,
      'the new port',
    );
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
    expect(sample.device).to.deep.equal({});
  });
});
