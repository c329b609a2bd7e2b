import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { EdgeReport } from '../../../crds/haproxy-provider.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { LEASES, SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, Fixture } from './support/objects.ts';
import { reportEdge } from './support/report-edge.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const HEALTHY = { targets: { desired: 2, healthy: 2 } };
const WITHOUT_TARGETS = { targets: { desired: 2, healthy: 0 } };

describe('operator: a Service that shows the addresses at all of its providers', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  /** Each with an edge of its own. */
  let first: string;
  let second: string;
  let both: string[];
  /** What it showed since this was emptied. */
  const seen = new Set<string>();

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    await start();
    first = `p-${fixture.id}`;
    second = `${first}-b`;
    for (const name of [first, second]) {
      await fixture.make(LOAD_BALANCER_PROVIDERS, { metadata: { name }, spec: { haproxy: {} } });
    }
    await fixture.pool(['192.0.2.140-192.0.2.149']);
    await fixture.pool(['192.0.2.150/32'], { providers: [second] }, '-b');
  });
  afterEach(async () => {
    await fixture.clean();
    await operator.stop();
  });

  async function start(): Promise<void> {
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace: fixture.namespace });
    operator.controller.caches.services.store.onChange(({ object }) => {
      if (object.metadata.namespace === fixture.namespace) seen.add(addressesOf(object).join());
    });
  }

  async function serve(...protocols: ('TCP' | 'UDP')[]): Promise<void> {
    const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: 80 }));
    await fixture.service('web', {
      annotations: { 'fairlead.dev/providers': `${first},${second}`, 'fairlead.dev/show-providers': 'All' },
      ...(ports.length === 0 ? {} : { spec: { ports } }),
    });
    both = [];
    for (const name of [first, second]) {
      const isClaimed = (each: LoadBalancer) => each.spec.addresses?.length === 1;
      const { spec } = await fixture.untilLoadBalancer('web', isClaimed, 'an address', name);
      both.push(...(spec.addresses ?? []).map(({ address }) => address));
    }
    for (const name of [first, second]) await report(name, HEALTHY);
    await untilShown(...both);
  }

  const report = async (provider: string, more: Partial<EdgeReport>) =>
    await reportEdge(fixture, { service: 'web', provider, edge: `of-${provider}` }, more);
  const untilShown = async (...addresses: (string | undefined)[]) =>
    await fixture.until('web', (each) => isDeepStrictEqual(addressesOf(each), addresses), `${addresses}`);

  it('shows those of both edges, but for one that reaches no target or has stopped, until it serves again', async () => {
    await serve();
    await fixture.untilReason('web', 'Ready');
    await report(second, WITHOUT_TARGETS);
    await untilShown(both[0]);
    await report(second, { targets: { desired: 2, healthy: 1 } });
    await untilShown(...both);
    await report(first, { serving: false, addresses: [] });
    await untilShown(both[1]);
    await report(first, HEALTHY);
    await untilShown(...both);

    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/show-providers': null } },
    });
    await untilShown(both[0]);
  });

  it('shows both where both let something pass, and neither all', async () => {
    await serve('TCP', 'UDP');
    await fixture.untilReason('web', 'ProtocolNotServed');
    await report(first, WITHOUT_TARGETS);
    await untilShown(both[1]);
  });

  it('goes on showing one that has a fault and serves', async () => {
    await serve();
    seen.clear();
    await report(first, { ...HEALTHY, reason: 'CertificateExpired', message: 'since yesterday' });
    await fixture.untilReason('web', 'CertificateExpired');
    await untilShown(...both);
    expect([...seen]).to.deep.equal([both.join()]);
  });

  it('shows none again that is down because its provider is deleted', async () => {
    await serve();
    await report(second, WITHOUT_TARGETS);
    await untilShown(both[0]);
    seen.clear();
    await fixture.client.delete(LOAD_BALANCER_PROVIDERS, undefined, second);
    await fixture.untilReason('web', 'ProviderNotFound');
    await untilShown(both[0]);
    expect([...seen]).to.deep.equal([both[0]]);
  });

  it('shows no silent edge again because the operator started anew, and one that is heard then', async () => {
    for (const provider of [first, second]) {
      const holder = `${provider}/of-${provider}`;
      await fixture.make(LEASES, {
        metadata: {
          name: `fairlead-edge-${holder.replace('/', '.')}`,
          namespace: fixture.namespace,
          labels: { 'fairlead.dev/component': 'edge' },
        },
        spec: { holderIdentity: holder, leaseDurationSeconds: 3600 },
      });
    }
    await serve();
    const renew = async (renewTime: string, leaseDurationSeconds: number) =>
      await fixture.patch(LEASES, `fairlead-edge-${second}.of-${second}`, {
        spec: { leaseDurationSeconds, renewTime },
      });
    // Long enough for an operator that starts slowly to be in time.
    await renew('2000-01-01T00:00:00.000000Z', 5);
    await untilShown(both[0]);

    await operator.stop();
    seen.clear();
    await start();
    // As long as nobody can know better.
    await fixture.untilReason('web', 'Ready');
    await fixture.untilReason('web', 'EdgeSilent');
    expect([...seen]).to.deep.equal([both[0]]);
    await renew('2000-01-01T00:00:10.000000Z', 3600);
    await untilShown(...both);
  });
});
