import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { NODES, SERVICES } from '../../kube/resources.ts';
import { LabEdge } from '../lab/edge.ts';
import type { Lab } from '../lab/lab.ts';
import { explainFailures } from '../lab/probe/judge-results.ts';
import { eventually, sleep } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import { deployWeb, HTTP_PORT, podsOf, removeNamespace, rolledOut } from './support/web.ts';

const NAMESPACE = 'e2e-edge';
const PROVIDER = 'edge';
const PER_SECOND = 200;
/** Of no other test's Service, as in the other tests of traffic. */
const ADDRESS = '198.18.0.241';
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const NODE = 'node-3';

describe('A Service on HAProxy outside of the lab', function () {
  this.timeout(120_000);
  let lab: Lab;
  let edge: LabEdge;

  before(async function () {
    lab = await sharedLab(this);
    const provider = parse(await readFile('config/samples/haproxy/provider.yaml', 'utf8'));
    provider.spec.haproxy.interface = 'eth1';
    await lab.kubectl(['apply', '-f', '-'], JSON.stringify(provider));
    edge = await LabEdge.start(lab, PROVIDER);
    await deployWeb(lab, NAMESPACE);
    await makeService('web', ADDRESS);
    await untilServed('web', ADDRESS);
  });

  after(async () => {
    await lab.kubectl(['label', 'node', NODE, `${EXCLUDED}-`]);
    await lab.kubectl(['uncordon', NODE]);
    await lab.kubectl(['delete', 'services', '--all', '-n', NAMESPACE, '--timeout=30s']);
    await lab.kubectl(['delete', 'loadbalancerprovider', PROVIDER, '--timeout=30s']);
    await edge?.stop();
    await removeNamespace(lab, NAMESPACE);
  });

  async function makeService(name: string, address: string): Promise<void> {
    await lab.api.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: NAMESPACE, annotations: { 'fairlead.dev/address': address } },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: `fairlead.dev/${PROVIDER}`,
        selector: { app: 'web' },
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: HTTP_PORT }],
      },
    });
  }

  async function untilServed(name: string, address: string): Promise<void> {
    await eventually(async () => {
      const { status } = await lab.api.get(SERVICES, NAMESPACE, name);
      expect(status?.loadBalancer?.ingress).to.deep.equal([{ ip: address, ipMode: 'Proxy' }]);
      const { error, ok } = await lab.client.request({ url: `http://${address}/` });
      expect(ok, error).to.equal(true);
    });
  }

  it('answers through a pod rollout, a node drain and a reload without one failed request', async () => {
    const before = await edge.reloads();
    const load = await lab.client.steady({ url: `http://${ADDRESS}/` }, PER_SECOND);
    await sleep(500);

    await lab.kubectl(['rollout', 'restart', 'deployment/web', '-n', NAMESPACE]);
    await rolledOut(lab, NAMESPACE);

    // As KEP-3458 has it: the label takes a node out of load balancers, then its pods may go.
    await lab.kubectl(['label', 'node', NODE, `${EXCLUDED}=`]);
    await lab.kubectl(['drain', NODE, '--pod-selector=app=web', '--timeout=60s']);
    await eventually(async () => {
      const { spec } = await lab.api.get(NODES, undefined, NODE);
      expect(spec?.unschedulable).to.equal(true);
      const nodes = (await podsOf(lab, NAMESPACE)).map((pod) => pod.spec?.nodeName);
      expect(nodes).to.not.include(NODE);
    });
    await rolledOut(lab, NAMESPACE);
    expect(await edge.reloads()).to.equal(before);

    await makeService('other', '198.18.0.242');
    await untilServed('other', '198.18.0.242');
    expect(await edge.reloads()).to.be.above(before);
    await sleep(500);

    const results = await load.stop();
    expect(explainFailures(results)).to.equal('none');
    expect(results.length).to.be.above(PER_SECOND);
  });
});
