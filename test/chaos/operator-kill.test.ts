import { expect } from 'chai';
import { ADDRESS_POOLS, LOAD_BALANCERS, PORT_POOLS } from '../../crds/resources.ts';
import { LEASES, NAMESPACES, SERVICES } from '../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { Churn } from './support/churn.ts';
import { ClaimRules } from './support/claim-rules.ts';
import { OperatorProcess } from './support/operator-process.ts';
import { OrderedEvents } from './support/ordered-events.ts';
import { Random } from './support/random.ts';

const KILLS = Number(process.env.CHAOS_KILLS ?? 50);
const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const SYSTEM = 'fairlead-system';
const NAMESPACE = 'chaos';
const SERVICES_ALIVE = 200;

describe('the operator killed at any moment while Services come and go', () => {
  let cluster: ControlPlane;
  let events: OrderedEvents;
  const started: OperatorProcess[] = [];

  before(async function () {
    this.timeout(180_000);
    cluster = await startControlPlane();
    const client = cluster.adminClient();
    await installCrds(client);
    for (const name of [SYSTEM, NAMESPACE]) await client.create(NAMESPACES, { metadata: { name } });
    const apiVersion = 'fairlead.dev/v1alpha1';
    const make = async (kind: string, plural: string, spec: object) => {
      const body = { apiVersion, kind, metadata: { name: NAMESPACE }, spec };
      await client.request('POST', `/apis/${apiVersion}/${plural}`, { body });
    };
    await make('LoadBalancerProvider', 'loadbalancerproviders', { announce: {} });
    const addresses = ['198.18.0.0/22', 'fd00:198::/116'];
    await make('AddressPool', 'addresspools', { addresses });
    await make('PortPool', 'portpools', { nodePorts: ['31000-31999'], forwardingPorts: ['20000-20999'] });
    events = new OrderedEvents(client, [SERVICES, LOAD_BALANCERS]);
    await events.start();
  });

  after(async function () {
    this.timeout(120_000);
    await Promise.all(started.map((each) => each.kill()));
    events.stop();
    await cluster.stop();
  });

  it(`gives nothing twice, moves nothing and leaks nothing (${KILLS} kills, CHAOS_SEED=${SEED})`, async function () {
    this.timeout(600_000);
    const client = cluster.adminClient();
    const random = new Random(SEED);
    const rules = new ClaimRules();
    const churn = new Churn({
      client,
      namespace: NAMESPACE,
      provider: NAMESPACE,
      random: new Random(SEED + 1),
      population: SERVICES_ALIVE,
      pauseMs: 20,
    });
    const check = () => {
      rules.replay(events.take());
      expect(rules.violations, `CHAOS_SEED=${SEED}`).to.deep.equal([]);
    };

    await churn.fill();
    churn.start();
    let [one, other] = [startOperator(), startOperator()];
    for (let kill = 0; kill < KILLS; kill++) {
      // Most die at work, some while they take the lead or take in what there is.
      const doomed = random.next() < 0.85 ? await firstReady(one, other) : one;
      await sleep(random.between(0, 900));
      await doomed.kill();
      await forgetLeader(doomed);
      [one, other] = [doomed === one ? other : one, startOperator()];
      check();
    }
    await churn.stop();

    const leader = await firstReady(one, other);
    await untilServed(churn.names);
    check();
    const alive = await client.list(LOAD_BALANCERS, { namespace: NAMESPACE });
    expect(alive.items.map((each) => each.spec.service.name).sort()).to.deep.equal(churn.names.sort());

    await churn.deleteAll();
    await until('everything gone', async () => {
      const services = await client.list(SERVICES, { namespace: NAMESPACE });
      const loadBalancers = await client.list(LOAD_BALANCERS, { namespace: NAMESPACE });
      return services.items.length + loadBalancers.items.length === 0;
    });
    await until('the pools to count nothing as used', async () => {
      const addresses = await client.get(ADDRESS_POOLS, undefined, NAMESPACE);
      const ports = await client.get(PORT_POOLS, undefined, NAMESPACE);
      const { forwardingPorts, nodePorts } = ports.status ?? {};
      return addresses.status?.used === '0' && forwardingPorts?.used === 0 && nodePorts?.used === 0;
    });
    rules.replay(events.takeRest());
    expect(rules.violations, `CHAOS_SEED=${SEED}`).to.deep.equal([]);
    expect(leader.lines('error')).to.deep.equal([]);
    // That it was a test at all.
    expect(rules.mostClaimed).to.be.greaterThan(SERVICES_ALIVE / 2);
    expect(churn.created).to.be.greaterThan(SERVICES_ALIVE + KILLS);
    process.stdout.write(
      `      ${rules.events} changes replayed; ${churn.created} Services created, ${churn.deleted} deleted\n`,
    );
  });

  function startOperator(): OperatorProcess {
    const lease = [
      '--lease-duration-seconds',
      '5',
      '--renew-deadline-seconds',
      '4',
      '--retry-period-seconds',
      '1',
    ];
    const operator = OperatorProcess.start(cluster.kubeconfig, ['--namespace', SYSTEM, ...lease]);
    started.push(operator);
    return operator;
  }

  /** Its Lease, if it led, so that the standby doesn't wait for it to expire each time: it's surely dead. */
  async function forgetLeader(dead: OperatorProcess): Promise<void> {
    const client = cluster.adminClient();
    const { items } = await client.list(LEASES, { namespace: SYSTEM });
    const lease = items.find(({ metadata }) => metadata.name === 'fairlead-operator');
    const { uid } = lease?.metadata ?? {};
    if (uid === undefined || lease?.spec?.holderIdentity !== dead.identity) return;
    await client.delete(LEASES, SYSTEM, 'fairlead-operator', { uid });
  }

  async function firstReady(...operators: OperatorProcess[]): Promise<OperatorProcess> {
    return await Promise.any(
      operators.map(async (operator) => {
        await operator.ready();
        return operator;
      }),
    );
  }

  async function untilServed(names: readonly string[]): Promise<void> {
    await until('every Service served', async () => {
      const services = await cluster.adminClient().list(SERVICES, { namespace: NAMESPACE });
      const waiting = services.items.filter(
        (each) => (each.status?.loadBalancer?.ingress?.length ?? 0) === 0,
      );
      return waiting.length === 0 && services.items.length === names.length;
    });
  }
});

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what} (CHAOS_SEED=${SEED})`);
    await sleep(100);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
