import { expect } from 'chai';
import type { ServiceSpec } from '../../../kube/objects.ts';
import { EVENTS, SERVICES } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENT, type HealthLab, OTHER } from './support/health-lab.ts';
import { readMetrics } from './support/read-metrics.ts';
import { sharedLab } from './support/shared-lab.ts';

const SPEC: ServiceSpec = {
  type: 'ClusterIP',
  ports: [{ name: 'http', port: 80 }],
  externalIPs: ['203.0.113.7'],
};

describe('a Service that loses its address and port to an older one', function () {
  this.timeout(60_000);
  let lab: HealthLab;

  before(async function () {
    this.timeout(180_000);
    lab = await sharedLab();
  });

  after(async () => {
    for (const name of ['older', 'younger']) await lab.client.delete(SERVICES, 'default', name);
  });

  it('is told by one Event, however many nodes see it', async () => {
    const { client } = lab;
    const create = (name: string) =>
      client.create(SERVICES, { metadata: { name, namespace: 'default' }, spec: SPEC });
    await create('older');
    // The age of a Service is told in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await create('younger');

    for (const { address } of [AGENT, OTHER]) {
      await eventually(async () => {
        const page = await (await fetch(`http://${address}:10249/metrics`)).text();
        expect(
          readMetrics(page).get('fairlead_agent_conflicts')?.samples.get('fairlead_agent_conflicts'),
        ).to.equal(1);
      });
    }
    const told = async () =>
      (await client.list(EVENTS, { namespace: 'default' })).items
        .map((event) => JSON.parse(JSON.stringify(event)))
        .filter(({ reason }) => reason === 'FrontendClaimed');
    await eventually(async () => expect(await told()).to.have.length(1));
    // Both have seen it by now; the second one's Event would be on its way.
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    const [event, ...more] = await told();
    expect(more).to.deep.equal([]);
    expect(event).to.deep.include({
      type: 'Warning',
      note: "The older Service default/older has 203.0.113.7 port 80 (TCP); this one isn't served there.",
      reportingController: 'fairlead.dev/agent',
    });
    expect(event.regarding).to.include({ kind: 'Service', namespace: 'default', name: 'younger' });
  });
});
