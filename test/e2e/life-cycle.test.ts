import { expect } from 'chai';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { SERVICES } from '../../kube/resources.ts';
import type { Lab } from '../lab/lab.ts';
import { eventually } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import {
  type Addresses,
  deployWeb,
  ownersOf,
  removeNamespace,
  untilServed,
  webService,
} from './support/web.ts';

const NAMESPACE = 'e2e-life-cycle';

describe('A Service over its life in the lab', function () {
  this.timeout(180_000);
  let lab: Lab;

  before(async function () {
    lab = await sharedLab(this);
    await deployWeb(lab, NAMESPACE, 2);
  });

  after(() => removeNamespace(lab, NAMESPACE));

  async function expectNoTrace({ v4, v6 }: Addresses): Promise<void> {
    for (const address of [v4, v6]) expect(await ownersOf(lab, address), address).to.deep.equal([]);
    for (const { name } of lab.nodes) {
      const { status, stdout } = await lab.exec(name, ['nft', 'list', 'ruleset']);
      expect(status).to.equal(0);
      expect(stdout, `rules of ${name}`).to.include('table ip fairlead');
      expect(stdout.includes(v4) || stdout.includes(v6), `rules of ${name} hold ${v4} or ${v6}`).to.equal(
        false,
      );
    }
    const { error } = await lab.client.request({ url: `http://${v4}/`, timeoutMs: 500 });
    expect(error).to.be.oneOf(['timeout', 'EHOSTUNREACH']);
  }

  it('gets an address when its type becomes LoadBalancer, and loses all of it when it is ClusterIP again', async () => {
    await lab.api.create(SERVICES, webService(NAMESPACE, 'edited', { type: 'ClusterIP' }));
    const edit = (type: string) =>
      lab.kubectl([
        'patch',
        'service',
        'edited',
        '-n',
        NAMESPACE,
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { type } }),
      ]);
    await edit('LoadBalancer');
    const addresses = await untilServed(lab, NAMESPACE, 'edited');
    await edit('ClusterIP');
    await eventually(async () => {
      const service = await lab.api.get(SERVICES, NAMESPACE, 'edited');
      expect(service.status?.loadBalancer?.ingress ?? []).to.deep.equal([]);
      expect(service.metadata.finalizers ?? []).to.deep.equal([]);
      const { items } = await lab.api.list(LOAD_BALANCERS, { namespace: NAMESPACE });
      expect(items.map(({ metadata }) => metadata.name)).to.deep.equal([]);
      await expectNoTrace(addresses);
    });
  });

  it('leaves nothing on any node when it is deleted', async () => {
    await lab.api.create(SERVICES, webService(NAMESPACE, 'deleted'));
    const addresses = await untilServed(lab, NAMESPACE, 'deleted');
    // The client may still know the node that had the address for an earlier Service, and that node's rules serve it.
    await eventually(async () => expect(await ownersOf(lab, addresses.v4)).to.have.length(1));
    await lab.kubectl(['delete', 'service', 'deleted', '-n', NAMESPACE, '--timeout=60s']);
    await eventually(() => expectNoTrace(addresses));
    const { items } = await lab.api.list(LOAD_BALANCERS, { namespace: NAMESPACE });
    expect(items).to.deep.equal([]);
  });

  it('is cleaned up by the next operator when it is deleted while there is none', async () => {
    await lab.api.create(SERVICES, webService(NAMESPACE, 'orphan'));
    const addresses = await untilServed(lab, NAMESPACE, 'orphan');
    await lab.operator.kill();
    await lab.kubectl(['delete', 'service', 'orphan', '-n', NAMESPACE, '--wait=false']);
    const waiting = await lab.api.get(SERVICES, NAMESPACE, 'orphan');
    expect(waiting.metadata.finalizers).to.deep.equal(['fairlead.dev/load-balancer-cleanup']);
    lab.operator.start();
    // The killed leader's Lease has to run out first.
    await eventually(() => expectNoTrace(addresses), 60_000);
    await lab.kubectl(['wait', '--for=delete', 'service/orphan', '-n', NAMESPACE, '--timeout=60s']);
  });
});
