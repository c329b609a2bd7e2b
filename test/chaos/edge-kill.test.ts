import { expect } from 'chai';
import type { Service } from '../../kube/objects.ts';
import { SERVICES } from '../../kube/resources.ts';
import { EdgeLab, PROVIDER } from '../net/edge/support/edge-lab.ts';
import { ask, Load } from '../net/edge/support/traffic.ts';
import { run } from '../net/support/run.ts';
import { eventually, sleep } from '../support/eventually.ts';
import { OperatorProcess } from './support/operator-process.ts';
import { Random } from './support/random.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const GENTLE_KILLS = Number(process.env.CHAOS_KILLS ?? 10);
const ROUGH_KILLS = Number(process.env.CHAOS_KILLS ?? 10);
const SYSTEM = 'fairlead-system';
const PORTS = Array.from({ length: 12 }, (_, index) => 30_100 + index);
const STEADY = 'web';
const LEASE = [
  ...['--lease-duration-seconds', '3', '--renew-deadline-seconds', '2', '--retry-period-seconds', '1'],
];

/** Services that come, change and go, each slot with a node port of its own. */
class Changes {
  readonly #lab: EdgeLab;
  readonly #random: Random;
  readonly alive = new Map<string, number>();
  readonly #free = PORTS.slice(1);
  #made = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  count = 0;

  constructor(lab: EdgeLab, random: Random) {
    this.#lab = lab;
    this.#random = random;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
    // Told by `stop`.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async make(name: string, nodePort: number): Promise<void> {
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: `fairlead.dev/${PROVIDER}`,
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 80, nodePort }],
      },
    };
    await this.#lab.client.create(SERVICES, service);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#change();
      this.count++;
      await sleep(this.#random.between(50, 250));
    }
  }

  /** It has its node port until the operator let it go. */
  async #whenGone(name: string): Promise<boolean> {
    while (!this.#stopped) {
      const { items } = await this.#lab.client.list(SERVICES, { namespace: 'default' });
      if (!items.some(({ metadata }) => metadata.name === name)) return true;
      await sleep(100);
    }
    return false;
  }

  async #change(): Promise<void> {
    const { client } = this.#lab;
    const name = this.#random.pick([...this.alive.keys()]);
    const port = this.#free[0];
    if (port !== undefined && (name === undefined || this.#random.next() < 0.45)) {
      this.#free.shift();
      const made = `s-${++this.#made}`;
      await this.make(made, port);
      this.alive.set(made, port);
    } else if (name !== undefined && this.#random.next() < 0.5) {
      const ranges = this.#random.next() < 0.5 ? ['10.88.0.0/16'] : ['10.0.0.0/8'];
      const patch = { spec: { loadBalancerSourceRanges: ranges } };
      await client.patch(SERVICES, 'default', name, patch, { contentType: 'merge' });
    } else if (name !== undefined) {
      const freed = this.alive.get(name) ?? 0;
      this.alive.delete(name);
      await client.delete(SERVICES, 'default', name);
      void this.#whenGone(name).then((isGone) => isGone && this.#free.push(freed));
    }
  }
}

describe('edge, HAProxy and operator killed at any moment while Services come and go', function () {
  this.timeout(240_000);
  let lab: EdgeLab;
  let operator: OperatorProcess;
  let changes: Changes;
  let address: string;
  const random = new Random(SEED);

  before(async () => {
    lab = await EdgeLab.start('edge-kill');
    for (const host of [1, 2]) await lab.addNode(host, PORTS);
    const pool = { apiVersion: 'fairlead.dev/v1alpha1', kind: 'AddressPool', metadata: { name: 'chaos' } };
    await lab.client.request('POST', '/apis/fairlead.dev/v1alpha1/addresspools', {
      body: { ...pool, spec: { addresses: ['192.0.2.0/25'] } },
    });
    operator = startOperator();
    changes = new Changes(lab, new Random(SEED + 1));
    await changes.make(STEADY, PORTS[0] ?? 0);
    address = await addressOf(STEADY);
    await eventually(() => ask(address, 80));
  });

  after(async () => {
    await operator?.kill();
    await lab?.stop();
  });

  function startOperator(): OperatorProcess {
    return OperatorProcess.start(lab.plane.kubeconfig, ['--namespace', SYSTEM, ...LEASE]);
  }

  async function addressOf(name: string): Promise<string> {
    return await eventually(async () => {
      const { status } = await lab.client.get(SERVICES, 'default', name);
      const ip = status?.loadBalancer?.ingress?.[0]?.ip;
      if (ip === undefined) throw new Error(`${name} has no address (CHAOS_SEED=${SEED})`);
      return ip;
    }, 60_000);
  }

  async function kill(what: 'edge' | 'operator' | 'worker' | 'master'): Promise<void> {
    if (what === 'edge') {
      await lab.edge.end('SIGKILL');
      lab.startEdgeAgain();
    } else if (what === 'operator') {
      await operator.kill();
      operator = startOperator();
    } else await lab.killProcess(what);
  }

  /** Every Service answers where its status says, and the edge has these addresses and no others. */
  async function expectRight(): Promise<void> {
    const names = [STEADY, ...changes.alive.keys()];
    const addresses = await Promise.all(names.map(addressOf));
    await eventually(() => Promise.all(addresses.map((each) => ask(each, 80))), 60_000);
    await eventually(async () => {
      const shown = await run('ip', '-n', lab.netns, '-o', '-4', 'address', 'show', 'dev', 'eth0');
      const held = [...shown.matchAll(/inet (192\.0\.2\.\d+)\/32/g)].map(([, each]) => each);
      expect(held, `CHAOS_SEED=${SEED}`).to.have.members(addresses);
      expect(await lab.proxies(), `CHAOS_SEED=${SEED}`).to.have.members(
        names.map((name) => `default.${name}.${PROVIDER}.80`),
      );
      expect(await lab.masters(), `CHAOS_SEED=${SEED}`).to.have.length(1);
    }, 60_000);
  }

  it(`fails no request while edge and operator are killed (${GENTLE_KILLS} kills, CHAOS_SEED=${SEED})`, async () => {
    const load = new Load(address, 80);
    try {
      changes.start();
      for (let count = 0; count < GENTLE_KILLS; count++) {
        await sleep(random.between(200, 1_200));
        await kill(random.next() < 0.5 ? 'edge' : 'operator');
      }
      await changes.stop();
    } finally {
      await load.stop();
    }
    expect(load.failures, `CHAOS_SEED=${SEED}`).to.deep.equal([]);
    expect(load.answered).to.be.above(GENTLE_KILLS * 10);
    await expectRight();
  });

  it(`ends right when HAProxy is killed too (${ROUGH_KILLS} kills)`, async () => {
    changes.start();
    for (let count = 0; count < ROUGH_KILLS; count++) {
      await sleep(random.between(200, 1_000));
      await kill(random.pick(['edge', 'operator', 'worker', 'master'] as const) ?? 'edge');
    }
    await kill('master');
    await changes.stop();
    await expectRight();
    // That it was a test at all.
    expect(changes.count).to.be.above(GENTLE_KILLS + ROUGH_KILLS);
  });
});
