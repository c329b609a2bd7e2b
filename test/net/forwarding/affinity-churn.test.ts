import { expect } from 'chai';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';
import { clusterIpsOf, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, NodeAgent, PODS } from '../support/forwarding-lab.ts';
import { run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';
import { nodeAt } from '../support/topology.ts';

const [POD_1, , POD_2, POD_3] = PODS;
if (!POD_1 || !POD_2 || !POD_3) throw new Error('the lab is too small');

const NODE = { ...nodeAt(9), name: 'churn' };
const HOSTS = Array.from({ length: 150 }, (_, index) => index + 1);
/** Of one family: the chain that finds or chooses, the one from outside to it, one an endpoint, and those of parts. */
const NEEDED = 2 + HOSTS.length + 16;

/** With a node port, so that chains lead into chains. */
const SERVICE: Service = {
  metadata: { name: 'shop', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    type: 'NodePort',
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    ports: [{ port: 80, protocol: 'TCP', nodePort: 30909 }],
    sessionAffinity: 'ClientIP',
  },
};

function sliceOf(hosts: readonly number[]): EndpointSlice {
  return {
    metadata: { name: 'shop-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'shop' } },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: hosts.map((host) => ({ addresses: [`10.244.9.${host}`], conditions: { ready: true } })),
  };
}

/** The audit, which looks for what nobody needs too, has no turn in it. */
describe('agent on the real kernel: endpoints of a Service with session affinity that come and go', function () {
  this.timeout(120_000);
  const agent = new NodeAgent(NODE);
  const nft = createNft(agent.prefix);

  const become = (hosts: readonly number[]) =>
    agent.become({ services: [SERVICE], slices: [sliceOf(hosts)] });
  const without = (host: number) => HOSTS.filter((each) => each !== host);
  /** Those that come and go. */
  const chains = async () => {
    const text = await nft({ args: ['-t', 'list', 'table', 'ip', 'fairlead'] });
    return [...text.matchAll(/\tchain ((?:affinity|external|sticky|found)-\S+) \{/g)].map(([, name]) => name);
  };

  before(async () => {
    await run('ip', 'netns', 'add', NODE.name);
    await agent.start();
    await become(HOSTS);
  });

  after(async () => {
    await agent.stop();
    await run('ip', 'netns', 'del', NODE.name);
  });

  it('leave no more chains than a few changes make, though changes never end', async () => {
    let made = 0;
    let most = 0;
    let left = Number.POSITIVE_INFINITY;
    const deadline = Date.now() + 60_000;
    while ((made < 200 || left > NEEDED + 60) && Date.now() < deadline) {
      await become(without(HOSTS[made % HOSTS.length] ?? 0));
      made++;
      if (made % 20 !== 0) continue;
      left = (await chains()).length;
      most = Math.max(most, left);
    }
    // Each change makes two or more.
    expect(most, `of ${made} changes`).to.be.lessThan(NEEDED + made);
    expect(left).to.be.at.most(NEEDED + 60);
  });

  it('leave none that nothing leads to, soon after the last change', async () => {
    await become(HOSTS.slice(0, 3));
    const deadline = Date.now() + 30_000;
    let left = await chains();
    while (left.length > 5 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      left = await chains();
    }
    expect(left.map((name) => name?.replace(/-[0-9a-f]+$/, ''))).to.have.members([
      'affinity',
      'external-affinity',
      'sticky',
      'sticky',
      'sticky',
    ]);
    expect(agent.findings).to.deep.equal([]);
    expect(agent.refused).to.deep.equal([]);
  });

  it('leave none when the Service goes', async () => {
    await agent.become({ services: [], slices: [] });
    const deadline = Date.now() + 30_000;
    while ((await chains()).length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await chains()).to.deep.equal([]);
  });

  it('leave none of an agent before either, and nothing that the audit would mind', async () => {
    await become(HOSTS);
    await agent.stop();
    const next = new NodeAgent(NODE, { auditMs: 200 });
    try {
      await next.start();
      const few = HOSTS.slice(0, 80);
      const deadline = Date.now() + 60_000;
      let left = await chains();
      for (let turn = 0; (turn < 40 || left.length > NEEDED) && Date.now() < deadline; turn++) {
        await next.become({
          services: [SERVICE],
          slices: [sliceOf(few.filter((host) => host !== few[turn]))],
        });
        left = await chains();
      }
      await next.become({ services: [SERVICE], slices: [sliceOf(few)] });
      // The two on top, one an endpoint, and three parts.
      while ((await chains()).length > 2 + 80 + 3 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect((await chains()).length).to.equal(2 + 80 + 3);
      expect(next.findings).to.deep.equal([]);
    } finally {
      await next.stop();
    }
  });
});

/** So many that they are looked for in parts: ports of two pods, a slice for each port. */
describe('agent on the real kernel: session affinity of a hundred endpoints', function () {
  this.timeout(120_000);
  const PORTS = Array.from({ length: 50 }, (_, index) => 9_000 + index);
  let lab: ForwardingLab;

  interface Where {
    by: string;
    at: number;
  }

  const become = async (gone: readonly Where[]) => {
    const { service } = sketchService({ name: 'large', host: 61 });
    const isGone = (by: string, at: number) => gone.some((each) => each.by === by && each.at === at);
    const slices = PORTS.map(
      (port): EndpointSlice => ({
        metadata: {
          name: `large-${port}`,
          namespace: 'default',
          labels: { 'kubernetes.io/service-name': 'large' },
        },
        addressType: 'IPv4',
        ports: [{ name: 'port-0', protocol: 'TCP', port }],
        endpoints: [POD_1, POD_2]
          .filter(({ name }) => !isGone(name, port))
          .map(({ address, node }) => ({
            addresses: [address],
            nodeName: node,
            conditions: { ready: true },
          })),
      }),
    );
    await lab.become({
      services: [{ ...service, spec: { ...service.spec, sessionAffinity: 'ClientIP' } }],
      slices,
    });
  };
  const dial = async (client: string): Promise<Where> => {
    const outcome = await lab.station(client).dial('tcp', clusterIpsOf(61)[0], 80, 5_000);
    if (outcome.result !== 'served') throw new Error(`${client}: ${outcome.result}`);
    return { by: outcome.by, at: outcome.at };
  };
  /** The one endpoint that serves ten connections of a client. */
  const endpointOf = async (client: string): Promise<Where> => {
    const first = await dial(client);
    for (let count = 0; count < 9; count++) expect(await dial(client), client).to.deep.equal(first);
    return first;
  };

  before(async () => {
    lab = await sharedLab();
    for (const { name } of [POD_1, POD_2]) {
      for (const port of PORTS) await lab.station(name).listen('tcp', port);
    }
    await become([]);
  });

  after(async () => {
    await lab.become({ services: [], slices: [] });
    // Who came where outlives everything else; the lab is others' too.
    for (const { prefix } of lab.agents) {
      await createNft(prefix)({ args: ['-f', '-'], input: 'flush set ip fairlead affinity\n' });
    }
  });

  it('holds while others go and come, and chooses anew when its own goes', async () => {
    const clients = [POD_1.name, POD_3.name, NODES[1]?.name ?? ''];
    const chosen = new Map<string, Where>();
    for (const client of clients) chosen.set(client, await endpointOf(client));
    const [first = ''] = clients;
    const own = chosen.get(first);
    if (own === undefined) throw new Error('there is no client');
    const kept = [...chosen.values()];
    const others = PORTS.flatMap((at) => [POD_1, POD_2].map(({ name: by }) => ({ by, at }))).filter(
      ({ by, at }) => !kept.some((each) => each.by === by && each.at === at),
    );

    for (const count of [1, 20, 60, 0, 40]) {
      await become(others.slice(0, count));
      for (const client of clients) expect(await endpointOf(client)).to.deep.equal(chosen.get(client));
    }

    await become([own]);
    expect(await endpointOf(first)).not.to.deep.equal(own);
    for (const client of clients.slice(1)) {
      const before = chosen.get(client);
      if (before?.by === own.by && before.at === own.at) continue;
      expect(await endpointOf(client)).to.deep.equal(before);
    }
  });

  it('chooses between all of them', async () => {
    const seen = new Set<string>();
    const client = POD_3.name;
    const deadline = Date.now() + 60_000;
    // Who was where is forgotten with the endpoints that are gone; each choice takes one away.
    const gone: Where[] = [];
    while (gone.length < 60 && Date.now() < deadline) {
      const next = await dial(client);
      expect(seen.has(`${next.by} ${next.at}`)).to.equal(false);
      seen.add(`${next.by} ${next.at}`);
      gone.push(next);
      await become(gone);
    }
    expect(seen.size).to.be.greaterThan(20);
    expect(new Set(gone.map(({ by }) => by)).size).to.equal(2);
  });
});
