import { expect } from 'chai';
import { SERVICES } from '../../kube/resources.ts';
import type { Lab } from '../lab/lab.ts';
import { countByPod } from '../lab/probe/judge-results.ts';
import { eventually } from '../support/eventually.ts';
import { measureFirstAnswers } from './support/first-answers.ts';
import { sharedLab } from './support/shared-lab.ts';
import {
  type Addresses,
  addressesOf,
  deployWeb,
  podsOf,
  removeNamespace,
  untilServed,
  webService,
} from './support/web.ts';

const NAMESPACE = 'e2e-address';
/** That it isn't a matter of a timer, on a machine with other work to do; test/bench/first-answer.ts holds it to 300. */
const ANSWERS_WITHIN_MS = 2_000;
const SERVICE_COUNT = 10;
const REQUESTS = 120;
/** Of 120 random picks of 3, fewer than 15 for one happens once in a million runs. */
const FAIR_SHARE = 15;

describe('A Service of type LoadBalancer in the lab', function () {
  this.timeout(120_000);
  let lab: Lab;

  before(async function () {
    lab = await sharedLab(this);
    await deployWeb(lab, NAMESPACE);
  });

  after(() => removeNamespace(lab, NAMESPACE));

  it('answers in a moment once its address shows in the status', async () => {
    const names = Array.from({ length: SERVICE_COUNT }, (_, index) => `quick-${index}`);
    const times = await measureFirstAnswers(lab, NAMESPACE, names);
    const ninthOfTen = times[Math.floor(times.length * 0.9) - 1];
    expect(ninthOfTen, times.map(Math.round).join(' ')).to.be.below(ANSWERS_WITHIN_MS);
  });

  describe('once it is served', () => {
    let addresses: Addresses;

    before(async () => {
      await lab.api.create(SERVICES, webService(NAMESPACE, 'web'));
      addresses = await untilServed(lab, NAMESPACE, 'web');
    });

    it('spreads connections over all pods, by IPv4 and by IPv6', async () => {
      for (const host of [addresses.v4, `[${addresses.v6}]`]) {
        const results = [];
        for (let i = 0; i < REQUESTS; i++) results.push(await lab.client.request({ url: `http://${host}/` }));
        expect(results.filter(({ ok }) => !ok)).to.deep.equal([]);
        const counts = countByPod(results);
        const names = (await podsOf(lab, NAMESPACE)).map(({ metadata }) => metadata.name);
        expect([...counts.keys()]).to.have.members(names);
        expect(Math.min(...counts.values())).to.be.at.least(FAIR_SHARE);
      }
    });

    it('answers by UDP, by IPv4 and by IPv6', async () => {
      for (const host of [addresses.v4, addresses.v6]) {
        const answer = await lab.client.exchange({ protocol: 'UDP', host, port: 81, text: 'hostname' });
        const names = (await podsOf(lab, NAMESPACE)).map(({ metadata }) => metadata.name);
        expect(names).to.include(answer.body);
      }
    });

    it('answers a node, and every pod, at its ClusterIP and at its address', async () => {
      const service = await lab.api.get(SERVICES, NAMESPACE, 'web');
      const pods = await podsOf(lab, NAMESPACE);
      const callers = ['node-1', ...pods.map(({ metadata }) => `pod-${metadata.uid?.slice(0, 13)}`)];
      for (const caller of callers) {
        for (const ip of [...(service.spec.clusterIPs ?? []), addresses.v4, addresses.v6]) {
          const url = `http://${ip.includes(':') ? `[${ip}]` : ip}/hostname`;
          // Enough for a pod to come by itself: the answer has to find its way back then too.
          for (let i = 0; i < 8; i++) {
            const { status, stderr } = await lab.exec(caller, [
              'curl',
              '-sS',
              '--fail',
              '--max-time',
              '2',
              url,
            ]);
            expect(status, `${caller} -> ${url}: ${stderr}`).to.equal(0);
          }
        }
      }
    });

    it('refuses connections when it has no pod', async () => {
      await lab.api.create(SERVICES, webService(NAMESPACE, 'empty', { selector: { app: 'none' } }));
      const { status } = await lab.api.get(SERVICES, NAMESPACE, 'web');
      expect(addressesOf(status?.loadBalancer?.ingress)).to.deep.equal(addresses);
      const informed = async () =>
        addressesOf((await lab.api.get(SERVICES, NAMESPACE, 'empty')).status?.loadBalancer?.ingress);
      let found: Addresses | undefined;
      while (!found) found = await informed();
      const url = `http://${found.v4}/`;
      // Nobody answers for the address in the first moments; then the refusal comes at once.
      await eventually(async () =>
        expect((await lab.client.request({ url, timeoutMs: 500 })).error).to.equal('ECONNREFUSED'),
      );
    });
  });
});
