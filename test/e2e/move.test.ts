import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../crds/resources.ts';
import { isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import { SERVICES } from '../../kube/resources.ts';
import { LabEdge } from '../lab/edge.ts';
import type { Lab } from '../lab/lab.ts';
import type { SteadyLoad } from '../lab/probe/client-probe.ts';
import { explainFailures } from '../lab/probe/judge-results.ts';
import { eventually, sleep } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import { deployWeb, HTTP_PORT, removeNamespace } from './support/web.ts';

type Type = NonNullable<Service['spec']['type']>;

const NAMESPACE = 'e2e-move';
const MERGE = { contentType: 'merge' } as const;
/** The nodes themselves, and HAProxy outside. */
const [NODES, EDGE] = ['moved-nodes', 'moved-edge'];
const PER_SECOND = 100;
/** Until it is said otherwise: a machine that is behind sees late what is shown. */
const LONG = { spec: { retireSeconds: 3600 } };
const OLD_IS_ASKED_MS = 1_500;

describe('A Service with two providers, the nodes themselves and HAProxy outside', function () {
  this.timeout(120_000);
  let lab: Lab;
  let edge: LabEdge;

  before(async function () {
    lab = await sharedLab(this);
    const sample = parse(await readFile('config/samples/haproxy/provider.yaml', 'utf8'));
    const haproxy = { ...sample.spec.haproxy, interface: 'eth1' };
    await apply({ ...sample, metadata: { name: EDGE }, spec: { ...LONG.spec, haproxy } });
    await apply({ ...sample, metadata: { name: NODES }, spec: { ...LONG.spec, announce: {} } });
    edge = await LabEdge.start(lab, EDGE, 2);
    await deployWeb(lab, NAMESPACE, 2);
  });

  after(async () => {
    await lab.kubectl(['delete', 'services', '--all', '-n', NAMESPACE, '--timeout=30s']);
    await lab.kubectl(['delete', 'loadbalancerprovider', EDGE, NODES, '--timeout=30s']);
    await edge?.stop();
    await removeNamespace(lab, NAMESPACE);
  });

  const apply = async (object: object) => await lab.kubectl(['apply', '-f', '-'], JSON.stringify(object));

  async function makeService(name: string, type: Type, ...providers: string[]): Promise<void> {
    await lab.api.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        namespace: NAMESPACE,
        annotations: { 'fairlead.dev/providers': providers.join(',') },
      },
      spec: {
        type,
        selector: { app: 'web' },
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: HTTP_PORT }],
      },
    });
  }

  async function ask(...providers: string[]): Promise<void> {
    const annotation = `fairlead.dev/providers=${providers.join(',')}`;
    await lab.kubectl(['annotate', 'service', 'web', '-n', NAMESPACE, '--overwrite', annotation]);
  }

  async function shown(): Promise<string> {
    const { status } = await lab.api.get(SERVICES, NAMESPACE, 'web');
    return status?.loadBalancer?.ingress?.[0]?.ip ?? 'nothing';
  }

  async function addressAt(provider: string, name = 'web'): Promise<string> {
    try {
      const { status } = await lab.api.get(LOAD_BALANCERS, NAMESPACE, `${name}.${provider}`);
      return status?.ingress?.[0]?.ip ?? '';
    } catch (error) {
      if (isClass(error, 'NotFound')) return '';
      throw error;
    }
  }

  /** The address that a load balancer has, once it answers. */
  async function untilServed(provider: string, name = 'web'): Promise<string> {
    return await eventually(async () => {
      const address = await addressAt(provider, name);
      expect(address, `${name} at ${provider}`).to.not.equal('');
      const { ok, error } = await lab.client.request({ url: `http://${address}/` });
      expect(ok, `${address}: ${error}`).to.equal(true);
      return address;
    });
  }

  /** Its time is over: what moved away from it goes. */
  async function retire(provider: string): Promise<void> {
    await lab.api.patch(LOAD_BALANCER_PROVIDERS, undefined, provider, { spec: { retireSeconds: 0 } }, MERGE);
    await eventually(async () => {
      const { items } = await lab.api.list(LOAD_BALANCERS, { namespace: NAMESPACE });
      expect(items.map(({ metadata }) => metadata.name)).to.not.include(`web.${provider}`);
    });
    await lab.api.patch(LOAD_BALANCER_PROVIDERS, undefined, provider, LONG, MERGE);
  }

  /** Half of the connections are new, half are kept. */
  async function ask100(address: string): Promise<{ stop(): Promise<void> }> {
    const url = `http://${address}/`;
    const loads: SteadyLoad[] = [
      await lab.client.steady({ url }, PER_SECOND / 2),
      await lab.client.steady({ url, keepAlive: true }, PER_SECOND / 2),
    ];
    return {
      stop: async () => {
        for (const load of loads) {
          const results = await load.stop();
          expect(explainFailures(results), address).to.equal('none');
          expect(results.length).to.be.above(PER_SECOND / 2);
        }
      },
    };
  }

  it('answers at both addresses, and is moved from one to the other and back with no failed request', async () => {
    await makeService('web', 'LoadBalancer', NODES, EDGE);
    const [nodes, outside] = [await untilServed(NODES), await untilServed(EDGE)];
    await eventually(async () => expect(await shown()).to.equal(nodes));
    const both = [await ask100(nodes), await ask100(outside)];
    await sleep(1_200);
    for (const load of both) await load.stop();

    await ask(NODES);
    await retire(EDGE);

    for (const [from, to] of [
      [NODES, EDGE],
      [EDGE, NODES],
    ] as const) {
      const old = await ask100(await shown());
      await ask(to);
      const next = await eventually(async () => {
        const now = await shown();
        expect(now).to.equal(await addressAt(to));
        return now;
      });
      // From here on as a client that follows the status; others have the old address for a while.
      const fresh = await ask100(next);
      await sleep(OLD_IS_ASKED_MS);
      await old.stop();
      await retire(from);
      await sleep(500);
      await fresh.stop();
    }
  });

  it('gets its load balancers with type NodePort, too', async () => {
    await makeService('ported', 'NodePort', EDGE, NODES);
    const [outside, nodes] = [await untilServed(EDGE, 'ported'), await untilServed(NODES, 'ported')];
    const loads = [await ask100(outside), await ask100(nodes)];
    await sleep(1_200);
    for (const load of loads) await load.stop();
    const { spec, status } = await lab.api.get(SERVICES, NAMESPACE, 'ported');
    expect(spec.type).to.equal('NodePort');
    expect(status?.loadBalancer?.ingress ?? []).to.deep.equal([]);
  });
});
