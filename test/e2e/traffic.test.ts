import { expect } from 'chai';
import { SERVICES } from '../../kube/resources.ts';
import { PODS } from '../lab/kubelet/pod.ts';
import type { Lab } from '../lab/lab.ts';
import {
  countByPod,
  explainFailures,
  failuresSince,
  lastAnswerOf,
  recoveryMs,
} from '../lab/probe/judge-results.ts';
import type { ProbeResult } from '../lab/probe/probe-protocol.ts';
import { eventually, sleep } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import {
  type Addresses,
  deployWeb,
  HTTP_PORT,
  ownersOf,
  podsOf,
  removeNamespace,
  rolledOut,
  untilServed,
  webService,
} from './support/web.ts';

const NAMESPACE = 'e2e-traffic';
const PER_SECOND = 100;
/**
 * Of no other test's Service: a connection tried while an address was nobody's leaves a conntrack entry without
 * translation on the node that it passed, and the next from the same port would be refused there.
 */
const FRESH_ADDRESSES = '198.18.0.240,fd00:198::2f0';

describe('Steady new connections from outside', function () {
  this.timeout(150_000);
  let lab: Lab;
  let addresses: Addresses;

  before(async function () {
    lab = await sharedLab(this);
    await deployWeb(lab, NAMESPACE);
    await lab.api.create(
      SERVICES,
      webService(NAMESPACE, 'web', {}, { 'fairlead.dev/address': FRESH_ADDRESSES }),
    );
    addresses = await untilServed(lab, NAMESPACE, 'web');
  });

  after(() => removeNamespace(lab, NAMESPACE));

  /** What happened to requests, a hundred a second by each family, while `act` ran and for a second on either side. */
  async function during(act: () => Promise<void>): Promise<{ v4: ProbeResult[]; v6: ProbeResult[] }> {
    const v4 = await lab.client.steady({ url: `http://${addresses.v4}/` }, PER_SECOND);
    const v6 = await lab.client.steady({ url: `http://[${addresses.v6}]/` }, PER_SECOND);
    await sleep(1_000);
    try {
      await act();
    } finally {
      await sleep(1_000);
    }
    return { v4: await v4.stop(), v6: await v6.stop() };
  }

  function expectNoFailure({ v4, v6 }: { v4: ProbeResult[]; v6: ProbeResult[] }): void {
    expect({ v4: explainFailures(v4), v6: explainFailures(v6) }).to.deep.equal({ v4: 'none', v6: 'none' });
    expect(Math.min(v4.length, v6.length)).to.be.above(PER_SECOND);
  }

  it('never reach a pod a second after it failed readiness', async () => {
    const [pod] = await podsOf(lab, NAMESPACE);
    const { nodeName = '' } = pod?.spec ?? {};
    const name = pod?.metadata.name ?? '';
    const path = 'fail-readiness?breakAfterMs=1000&healAfterMs=5000';
    let failedAt = 0;
    const { v4, v6 } = await during(async () => {
      failedAt = Date.now();
      await lab.exec(nodeName, [
        'curl',
        '-sS',
        '-X',
        'POST',
        `http://${pod?.status?.podIP}:${HTTP_PORT}/${path}`,
      ]);
      await sleep(3_000);
    });
    for (const [family, results] of [
      ['v4', v4],
      ['v6', v6],
    ] as const) {
      expect(
        failuresSince(results, failedAt + 1_000),
        `${family}: ${explainFailures(results)}`,
      ).to.deep.equal([]);
      // It was one of those that answered, and wasn't any more.
      const before = results.filter(({ at }) => at < failedAt);
      expect(countByPod(before).get(name) ?? 0).to.be.above(0);
      expect(lastAnswerOf(results, name)).to.be.below(failedAt + 1_000);
    }
    await eventually(async () => {
      const { ok } = await lab.client.request({ url: `http://${addresses.v4}/` });
      expect(ok).to.equal(true);
      const ready = (await podsOf(lab, NAMESPACE)).every(
        ({ status }) => status?.containerStatuses?.[0]?.ready,
      );
      expect(ready).to.equal(true);
    });
  });

  it('all succeed while a Deployment is rolled over', async () => {
    const before = (await podsOf(lab, NAMESPACE)).map(({ metadata }) => metadata.name);
    const results = await during(async () => {
      await lab.kubectl(['rollout', 'restart', 'deployment/web', '-n', NAMESPACE]);
      await rolledOut(lab, NAMESPACE);
      await eventually(async () => {
        const { items } = await lab.api.list(PODS, { namespace: NAMESPACE });
        expect(items.some(({ metadata }) => before.includes(metadata.name))).to.equal(false);
      });
    });
    expectNoFailure(results);
  });

  it('all succeed while a pod is deleted and shuts down gracefully', async () => {
    const [pod] = await podsOf(lab, NAMESPACE);
    const name = pod?.metadata.name ?? '';
    const results = await during(async () => {
      await lab.kubectl(['delete', 'pod', name, '-n', NAMESPACE, '--wait=true']);
      await rolledOut(lab, NAMESPACE);
    });
    expectNoFailure(results);
  });

  it('finish on a pod that is on its way out, when they were begun before', async () => {
    const slow = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const request = { url: `http://${addresses.v4}/?delayMs=3000`, timeoutMs: 8_000 };
        return await lab.client.request(request);
      }).concat(
        (async () => {
          await sleep(500);
          await lab.kubectl(['rollout', 'restart', 'deployment/web', '-n', NAMESPACE]);
          return { at: 0, ms: 0, ok: true };
        })(),
      ),
    );
    expect(slow.filter(({ ok }) => !ok)).to.deep.equal([]);
    await rolledOut(lab, NAMESPACE);
  });

  it('all succeed while the operator is down, and pods that come meanwhile get their share', async () => {
    let names: string[] = [];
    const results = await during(async () => {
      await lab.operator.kill();
      await lab.kubectl(['scale', 'deployment/web', '--replicas=4', '-n', NAMESPACE]);
      await rolledOut(lab, NAMESPACE);
      await sleep(2_000);
      names = (await podsOf(lab, NAMESPACE)).map(({ metadata }) => metadata.name);
    });
    expectNoFailure(results);
    expect(names).to.have.length(4);
    expect([...countByPod(results.v4).keys()]).to.include.members(names);
    lab.operator.start();
    await lab.kubectl(['scale', 'deployment/web', '--replicas=3', '-n', NAMESPACE]);
    await rolledOut(lab, NAMESPACE);
    expect(await untilServed(lab, NAMESPACE, 'web')).to.deep.equal(addresses);
  });

  it('all succeed while every agent is killed and started again', async () => {
    const results = await during(async () => {
      for (const { name } of lab.nodes) {
        await lab.agent(name).restart();
        await sleep(1_500);
      }
    });
    expectNoFailure(results);
  });

  it('succeed again within 5 s after the node that has the address is lost', async () => {
    const owner = await eventually(async () => {
      const [found, ...others] = await ownersOf(lab, addresses.v4);
      if (found === undefined || others.length > 0) throw new Error(`${addresses.v4} is not on one node`);
      return found;
    });
    let cutAt = 0;
    try {
      const { v4, v6 } = await during(async () => {
        cutAt = Date.now();
        await lab.nodeDown(owner);
        await sleep(7_000);
      });
      for (const results of [v4, v6]) {
        expect(recoveryMs(results, cutAt), explainFailures(results)).to.be.below(5_000);
      }
      const nextOwners = (await ownersOf(lab, addresses.v4)).filter((node) => node !== owner);
      expect(nextOwners).to.have.length(1);
    } finally {
      await lab.nodeUp(owner);
    }
    await lab.kubectl(['wait', '--for=condition=Ready', `node/${owner}`, '--timeout=60s']);
    await rolledOut(lab, NAMESPACE);
    await eventually(async () => {
      expect(await ownersOf(lab, addresses.v4)).to.have.length(1);
      expect(await ownersOf(lab, addresses.v6)).to.have.length(1);
    });
  });
});
