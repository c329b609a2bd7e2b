import { expect } from 'chai';
import { type HealthFacts, healthPages, isEligible } from '../../../agent/web/health-pages.ts';
import type { Node } from '../../../kube/objects.ts';

const APPLIED = '2026-01-01T00:00:00.000Z';
const NOW = '2026-01-01T00:05:00.000Z';

const WELL: HealthFacts = { programmed: true, waitingMs: undefined, eligible: true, lastUpdated: APPLIED };

async function ask(facts: Partial<HealthFacts>) {
  const counted: [string, number][] = [];
  const pages = healthPages(
    () => ({ ...WELL, ...facts }),
    () => new Date(NOW),
    (page, status) => counted.push([page, status]),
  );
  const healthz = await pages['/healthz']?.();
  const livez = await pages['/livez']?.();
  return { healthz, livez, counted };
}

describe('agent: its health', () => {
  const cases: [string, Partial<HealthFacts>, number, number][] = [
    ['all is applied', {}, 200, 200],
    ['a change waits for a moment', { waitingMs: 59_999 }, 200, 200],
    ['a change waits for a minute', { waitingMs: 60_000 }, 503, 503],
    ['not everything is listed', { programmed: false }, 503, 503],
    ['the node is about to leave', { eligible: false }, 503, 200],
  ];
  for (const [name, facts, healthz, livez] of cases) {
    it(`is ${healthz} to load balancers and ${livez} to the kubelet when ${name}`, async () => {
      const answers = await ask(facts);

      expect(answers.healthz?.status).to.equal(healthz);
      expect(answers.livez?.status).to.equal(livez);
      expect(answers.counted).to.deep.equal([
        ['healthz', healthz],
        ['livez', livez],
      ]);
    });
  }

  it('is told in the words of kube-proxy, which says now for the last update while all is well', async () => {
    const family = `{"lastUpdated":"${APPLIED}","healthy":true}`;
    const status = `"status":{"IPv4":${family},"IPv6":${family}}`;
    const { healthz, livez } = await ask({});

    expect(healthz).to.include({ contentType: 'application/json' });
    expect(healthz?.body).to.equal(
      `{"lastUpdated":"${NOW}","currentTime":"${NOW}","nodeEligible":true,"healthy":true,${status}}`,
    );
    expect(livez?.body).to.equal(`{"lastUpdated":"${NOW}","currentTime":"${NOW}","healthy":true,${status}}`);
  });

  it('of the proxy stays good in the words of a node that leaves', async () => {
    const { healthz } = await ask({ eligible: false });

    expect(JSON.parse(healthz?.body ?? '')).to.include({
      lastUpdated: APPLIED,
      nodeEligible: false,
      healthy: true,
    });
  });

  it('of both families is bad when a change waits too long, and nothing is said of them before the first', async () => {
    const late = JSON.parse((await ask({ waitingMs: 61_000 })).livez?.body ?? '');
    expect(late).to.include({ healthy: false, lastUpdated: APPLIED });
    expect(late.status).to.deep.equal({
      IPv4: { lastUpdated: APPLIED, healthy: false },
      IPv6: { lastUpdated: APPLIED, healthy: false },
    });

    const early = JSON.parse((await ask({ programmed: false, lastUpdated: null })).livez?.body ?? '');
    expect(early).to.include({ healthy: false, lastUpdated: '0001-01-01T00:00:00Z' });
    expect(early).not.to.have.property('status');
  });

  it('is not for load balancers once the Node is gone, going, or tainted for removal', () => {
    const node: Node = { metadata: { name: 'n1' } };
    const tainted = (key: string): Node => ({ ...node, spec: { taints: [{ key, effect: 'NoSchedule' }] } });

    expect(isEligible(node)).to.equal(true);
    expect(isEligible(tainted('node.kubernetes.io/not-ready'))).to.equal(true);
    expect(isEligible(tainted('ToBeDeletedByClusterAutoscaler'))).to.equal(false);
    expect(isEligible(undefined)).to.equal(false);
    expect(isEligible({ metadata: { name: 'n1', deletionTimestamp: '2026-01-01T00:00:00Z' } })).to.equal(
      false,
    );
  });
});
