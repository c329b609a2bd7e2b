import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { SERVICES } from '../../kube/resources.ts';
import { LabEdge } from '../lab/edge.ts';
import type { Lab } from '../lab/lab.ts';
import { eventually } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import { deployWeb, HTTP_PORT, removeNamespace } from './support/web.ts';

const NAMESPACE = 'e2e-two-edges';
const PROVIDERS = ['edge-a', 'edge-b'];
/** Machines of no other test. */
const FIRST_MACHINE = 3;

describe('A Service on two edges, each with an address of its own', function () {
  this.timeout(120_000);
  let lab: Lab;
  const edges: LabEdge[] = [];

  before(async function () {
    lab = await sharedLab(this);
    const sample = parse(await readFile('config/samples/haproxy/provider.yaml', 'utf8'));
    sample.spec.haproxy.interface = 'eth1';
    for (const [index, name] of PROVIDERS.entries()) {
      await lab.kubectl(['apply', '-f', '-'], JSON.stringify({ ...sample, metadata: { name } }));
      edges.push(await LabEdge.start(lab, name, FIRST_MACHINE + index));
    }
    await deployWeb(lab, NAMESPACE, 2);
    await lab.api.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'web',
        namespace: NAMESPACE,
        annotations: {
          'fairlead.dev/providers': PROVIDERS.join(','),
          'fairlead.dev/show-providers': 'All',
        },
      },
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: HTTP_PORT }],
      },
    });
  });

  after(async () => {
    await lab.kubectl(['delete', 'services', '--all', '-n', NAMESPACE, '--timeout=30s']);
    await lab.kubectl(['delete', 'loadbalancerprovider', ...PROVIDERS, '--timeout=30s']);
    await Promise.all(edges.map((edge) => edge.stop()));
    await removeNamespace(lab, NAMESPACE);
  });

  async function addressAt(provider: string): Promise<string | undefined> {
    const { spec } = await lab.api.get(LOAD_BALANCERS, NAMESPACE, `web.${provider}`);
    return spec.addresses?.[0]?.address;
  }

  async function untilShown(...addresses: (string | undefined)[]): Promise<void> {
    await eventually(async () => {
      const { status } = await lab.api.get(SERVICES, NAMESPACE, 'web');
      const ingress = addresses.map((ip) => ({ ip, ipMode: 'Proxy' }));
      expect(status?.loadBalancer?.ingress).to.deep.equal(ingress);
    });
  }

  async function untilAnswers(address: string | undefined): Promise<void> {
    await eventually(async () => {
      const { error, ok } = await lab.client.request({ url: `http://${address}/` });
      expect(ok, error).to.equal(true);
    });
  }

  it('shows both, which both answer, and takes out the one that reaches no node until it does again', async () => {
    const both = await eventually(async () => {
      const found = await Promise.all(PROVIDERS.map(addressAt));
      expect(new Set(found).size).to.equal(PROVIDERS.length);
      expect(found).to.not.include(undefined);
      return found;
    });
    await untilShown(...both);
    for (const address of both) await untilAnswers(address);

    const name = edges[1]?.machine.name ?? '';
    await lab.exec(name, ['nft', 'add table inet cut']);
    // The nodes of the lab, and not its API server.
    const cut = 'ip daddr 10.89.0.11-10.89.0.19 drop';
    await lab.exec(name, [
      'nft',
      `add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out ${cut}`,
    ]);
    await untilShown(both[0]);
    await untilAnswers(both[0]);

    await lab.exec(name, ['nft', 'delete table inet cut']);
    await untilShown(...both);
    await untilAnswers(both[1]);
  });
});
