import { expect } from 'chai';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';
import { NodeAgent } from '../support/forwarding-lab.ts';
import { run } from '../support/run.ts';
import { nodeAt } from '../support/topology.ts';

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
});
