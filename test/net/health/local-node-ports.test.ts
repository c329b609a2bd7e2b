import { expect } from 'chai';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { Station } from '../support/station.ts';
import { AGENT, type HealthLab, OTHER } from './support/health-lab.ts';
import { localService, removeService, setPods } from './support/local-service.ts';
import { readMetrics } from './support/read-metrics.ts';
import { sharedLab } from './support/shared-lab.ts';

const NODE_PORT = 31_180;
const MEGABYTES = 8;

describe('node ports on the loopback address', function () {
  this.timeout(120_000);
  let lab: HealthLab;

  const restart = async (flags: readonly string[]) => {
    await lab.stopAgent(AGENT);
    await lab.startAgent(AGENT, flags);
  };
  const station = () => {
    const found = lab.stations.get(AGENT.name);
    if (found === undefined) throw new Error('there is no station');
    return found;
  };
  const dial = (address: string, port = NODE_PORT) => station().dial('tcp', address, port);

  before(async function () {
    this.timeout(180_000);
    lab = await sharedLab();
    const ports = [{ name: 'http', port: 80, nodePort: NODE_PORT }];
    await lab.client.create(
      SERVICES,
      localService('near', { type: 'NodePort', internalTrafficPolicy: 'Local', ports }),
    );
    await setPods(lab.client, 'near', { first: 'ready' });
  });

  after(async function () {
    this.timeout(120_000);
    await restart([]);
    await removeService(lab.client, 'near');
  });

  it('are not served unless that is asked for', async () => {
    await eventually(async () => expect((await dial(AGENT.address)).result).to.equal('served'));
    expect((await dial('127.0.0.1')).result).to.equal('refused');
    expect((await dial('::1')).result).to.equal('refused');
  });

  it('lead to the endpoints that node ports lead to, over both families', async () => {
    await restart(['--localhost-nodeports=true']);

    for (const address of ['127.0.0.1', '::1']) {
      await eventually(async () => expect((await dial(address)).result).to.equal('served'));
    }
    // All are on another node, and policies of the node port let the node itself reach those.
    await setPods(lab.client, 'near', {}, {}, { elsewhere: true });
    await eventually(async () => expect(await dial('127.0.0.1')).to.include({ by: OTHER.name }));
    await setPods(lab.client, 'near', { first: 'ready' });
    await eventually(async () => expect(await dial('127.0.0.1')).to.include({ by: AGENT.name }));
  });

  it('end a connection that no endpoint takes', async () => {
    await setPods(lab.client, 'near', {});
    await eventually(async () => expect((await dial('127.0.0.1')).result).to.not.equal('served'));
    await setPods(lab.client, 'near', { first: 'ready' });
    await eventually(async () => expect((await dial('127.0.0.1')).result).to.equal('served'));
  });

  it('pass on every byte, however slowly it is read', async () => {
    const bytes = MEGABYTES * 2 ** 20;
    const through = { transport: 'tcp', address: '127.0.0.1', port: NODE_PORT, timeoutMs: 20_000 } as const;
    const came = await station().exchange(through, bytes);
    expect(came).to.equal(bytes);
  });

  it('follow the Service: another port, other types, none', async () => {
    const ports = (nodePort: number) => ({
      spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort }] },
    });
    const patch = (change: object) =>
      lab.client.patch(SERVICES, 'default', 'near', change, { contentType: 'merge' });
    await patch(ports(NODE_PORT + 1));
    await eventually(async () => expect((await dial('127.0.0.1', NODE_PORT + 1)).result).to.equal('served'));
    await eventually(async () => expect((await dial('127.0.0.1')).result).to.equal('refused'));

    await patch(ports(NODE_PORT));
    await eventually(async () => expect((await dial('127.0.0.1')).result).to.equal('served'));
    await eventually(async () => expect((await dial('127.0.0.1', NODE_PORT + 1)).result).to.equal('refused'));
  });

  it('are counted, and leave nothing open', async () => {
    const read = async () => readMetrics(await (await fetch(`http://${AGENT.address}:10249/metrics`)).text());
    await eventually(async () => {
      const open = (await read()).get('fairlead_agent_local_node_port_connections');
      expect([...(open?.samples.values() ?? [])]).to.deep.equal([0]);
    });
    const ended = (await read()).get('fairlead_agent_local_node_port_connections_total')?.samples;
    expect(ended?.get('fairlead_agent_local_node_port_connections_total{ending="closed"}')).to.be.greaterThan(
      3,
    );
  });

  it('that are taken are told, and served once they are free', async () => {
    const taken = NODE_PORT + 2;
    const blocker = await Station.start(AGENT.name);
    await blocker.listen('tcp', taken);
    await lab.client.create(
      SERVICES,
      localService('taken', { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: taken }] }),
    );
    await setPods(lab.client, 'taken', { first: 'ready' });
    const condition = async () => {
      const { status } = await lab.client.get(NODE_FORWARDERS, undefined, AGENT.name);
      return findCondition(status?.conditions, 'PortsOpen');
    };
    await eventually(async () =>
      expect((await condition())?.message).to.include(`node port of default/taken at ::1 ${taken}`),
    );
    blocker.stop();
    await eventually(async () => expect((await dial('::1', taken)).result).to.equal('served'));
    await removeService(lab.client, 'taken');
  });
});
