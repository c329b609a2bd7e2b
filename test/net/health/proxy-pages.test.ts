import { expect } from 'chai';
import type { ServiceSpec } from '../../../kube/objects.ts';
import { NODES, SERVICES } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENT, type HealthLab, ORACLE } from './support/health-lab.ts';
import { ask } from './support/http-ask.ts';
import { localService, removeService, setPods } from './support/local-service.ts';
import { readMetrics } from './support/read-metrics.ts';
import { sharedLab } from './support/shared-lab.ts';

const HEALTH_PORT = 10_256;
const METRICS_PORT = 10_249;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

describe("the agent's own pages, beside those of real kube-proxy", function () {
  this.timeout(60_000);
  let lab: HealthLab;

  const metricsOf = async ({ address }: { address: string }) =>
    readMetrics(await (await fetch(`http://${address}:${METRICS_PORT}/metrics`)).text());

  before(async function () {
    this.timeout(180_000);
    lab = await sharedLab();
    const spec: ServiceSpec = { internalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80 }] };
    await lab.client.create(SERVICES, localService('pages', spec));
    await setPods(lab.client, 'pages', { first: 'ready' });
  });

  after(() => removeService(lab.client, 'pages'));

  for (const path of ['/healthz', '/livez']) {
    it(`${path} has the same shape`, async () => {
      const [own, oracle] = await Promise.all(
        [AGENT, ORACLE].map(({ address }) => ask(address, HEALTH_PORT, `GET ${path} HTTP/1.1`)),
      );

      expect(own?.status).to.equal(oracle?.status).and.to.equal('HTTP/1.1 200 OK');
      expect(shapeOf(own?.body)).to.deep.equal(shapeOf(oracle?.body));
      expect(own?.body.endsWith('\n')).to.equal(oracle?.body.endsWith('\n'));
      const contentType = (headers: string[] = []) => headers.filter((line) => /^content-type:/i.test(line));
      expect(contentType(own?.headers).map((line) => line.toLowerCase())).to.deep.equal(
        contentType(oracle?.headers).map((line) => line.toLowerCase()),
      );
    });
  }

  it('/healthz follows the taint of a node that leaves, /livez does not', async () => {
    const taint = async (taints: object[]) => {
      for (const { name } of [AGENT, ORACLE]) {
        await lab.client.patch(NODES, undefined, name, { spec: { taints } }, { contentType: 'merge' });
      }
    };
    await taint([{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }]);
    const shapes: unknown[] = [];
    for (const { address } of [AGENT, ORACLE]) {
      await eventually(async () => {
        const { status, body } = await ask(address, HEALTH_PORT, 'GET /healthz HTTP/1.1');
        expect(status).to.include('503');
        shapes.push(shapeOf(body));
      });
      expect((await ask(address, HEALTH_PORT, 'GET /livez HTTP/1.1')).status).to.include('200');
    }
    expect(shapes[0]).to.deep.equal(shapes[1]);
    expect(shapes[0]).to.include({ nodeEligible: false, healthy: true });

    await taint([]);
    await eventually(async () =>
      expect((await ask(AGENT.address, HEALTH_PORT, 'GET /healthz HTTP/1.1')).status).to.include('200'),
    );
  });

  it('/proxyMode says the same', async () => {
    const texts = [AGENT, ORACLE].map(
      async ({ address }) => (await ask(address, METRICS_PORT, 'GET /proxyMode HTTP/1.1')).body,
    );
    expect(await Promise.all(texts)).to.deep.equal(['nftables', 'nftables']);
  });

  it('/metrics is not where everybody may ask for health', async () => {
    expect((await ask(AGENT.address, HEALTH_PORT, 'GET /metrics HTTP/1.1')).status).to.include('404');
  });

  it('/metrics has every metric of kube-proxy, of the same type, with the same labels and buckets', async () => {
    for (const { address } of [AGENT, ORACLE]) await ask(address, HEALTH_PORT, 'GET /livez HTTP/1.1');
    await setPods(lab.client, 'pages', { first: 'ready', second: 'ready' });
    await eventually(async () => {
      for (const node of [AGENT, ORACLE]) {
        const family = (await metricsOf(node)).get('kubeproxy_network_programming_duration_seconds');
        expect(family?.labels).to.deep.equal(['ip_family']);
      }
    });
    const [own, oracle] = await Promise.all([metricsOf(AGENT), metricsOf(ORACLE)]);

    const theirs = [...oracle].filter(([name]) => name.startsWith('kubeproxy_'));
    expect(theirs.length).to.be.greaterThan(12);
    for (const [name, { type, labels, buckets }] of theirs) {
      const mine = own.get(name);
      expect(mine, name).to.not.equal(undefined);
      expect(mine?.type, name).to.equal(type);
      // A family without samples shows no labels.
      if (mine !== undefined && mine.samples.size > 0 && labels.length > 0) {
        expect(mine.labels, name).to.deep.equal(labels);
        expect(mine.buckets, name).to.deep.equal(buckets);
      }
    }
  });

  it('/metrics counts changes and how long they took, and knows what has no endpoints here', async () => {
    const value = async (node: typeof AGENT, name: string, labels = '') =>
      (await metricsOf(node)).get(name.replace(/_count$/, ''))?.samples.get(`${name}${labels}`) ?? 0;
    const v4 = '{ip_family="IPv4"}';
    const programmed = 'kubeproxy_network_programming_duration_seconds_count';
    const partial = 'kubeproxy_sync_partial_proxy_rules_duration_seconds_count';
    const changes = 'kubeproxy_sync_proxy_rules_endpoint_changes_total';
    const before = {
      programmed: await value(AGENT, programmed, v4),
      partial: await value(AGENT, partial, v4),
      changes: await value(AGENT, changes),
    };
    await setPods(lab.client, 'pages', { first: 'ready' });

    await eventually(async () => {
      // At least: of changes before these some may be told of later.
      expect(await value(AGENT, programmed, v4)).to.be.at.least(before.programmed + 1);
      expect(await value(AGENT, partial, v4)).to.be.greaterThan(before.partial);
      expect(await value(AGENT, changes)).to.be.at.least(before.changes + 2);
      expect(await value(AGENT, 'kubeproxy_sync_proxy_rules_endpoint_changes_pending')).to.equal(0);
    });
    const now = Date.now() / 1000;
    expect(await value(AGENT, 'kubeproxy_sync_proxy_rules_last_timestamp_seconds', v4)).to.be.within(
      now - 60,
      now + 1,
    );
    expect(await value(AGENT, 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds', v4)).to.be.within(
      now - 60,
      now + 1,
    );
  });

  it('/metrics counts the same ports without endpoints on the node as kube-proxy', async () => {
    const name = 'kubeproxy_sync_proxy_rules_no_local_endpoints_total';
    const counts = async (node: typeof AGENT) =>
      Object.fromEntries((await metricsOf(node)).get(name)?.samples ?? []);
    await setPods(lab.client, 'pages', {}, {}, { elsewhere: true });

    await eventually(async () => {
      const own = await counts(AGENT);
      expect(own).to.deep.include({ [`${name}{traffic_policy="internal",ip_family="IPv4"}`]: 1 });
      expect(sumByLabels(own)).to.deep.equal(sumByLabels(await counts(ORACLE)));
    });
  });
});

/** The JSON with its keys in order, and each time as `TIME`. */
function shapeOf(body = ''): unknown {
  return JSON.parse(body, (_, value: unknown) =>
    typeof value === 'string' && TIME.test(value) ? 'TIME' : value,
  );
}

/** Whatever order the labels are in. */
function sumByLabels(samples: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(samples).map(([name, value]) => [
      [...name.matchAll(/\w+="\w+"/g)].flat().sort().join(),
      value,
    ]),
  );
}
