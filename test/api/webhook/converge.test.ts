import { expect } from 'chai';
import fc from 'fast-check';
import { loadBalancerProviderSpecSchema } from '../../../crds/load-balancer-provider.ts';
import type { DesiredLoadBalancer, Provider } from '../../../providers/provider.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { createWebhookProvider } from '../../../providers/webhook/webhook.ts';
import { type FrontAnswer, type SeenRequest, WebhookFront } from '../../peers/webhook/front.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';

const CLUSTER = 'converge';
const FOREIGN_KEY = 'another-cluster/shop/web-0.own';
const { signal } = new AbortController();

/** What becomes of one request. */
const faults = {
  none: 'is answered',
  before: 'gets lost on the way there',
  after: 'is done, and its answer gets lost',
  busy: 'is refused for now',
  garbage: 'is done, and answered by something that is no answer',
} as const;
type Fault = keyof typeof faults;

/** What happens, in this order. */
type Step =
  | { kind: 'want'; service: number; ports: number[]; nodes: number }
  | { kind: 'leave'; service: number }
  | { kind: 'restart' }
  | { kind: 'edit'; service: number }
  | { kind: 'look' };

const service = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('want' as const),
      service,
      ports: fc.uniqueArray(fc.integer({ min: 80, max: 83 }), { minLength: 1, maxLength: 3 }),
      nodes: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), service }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), service }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
);
const fault = fc.constantFrom<Fault>('none', 'none', 'before', 'after', 'busy', 'garbage');

describe('providers/webhook: whatever happens to requests, operator and device', () => {
  let sample: SampleProcess;
  let front: WebhookFront;

  beforeEach(async () => {
    sample = await SampleProcess.start();
    front = await WebhookFront.start(sample);
  });
  afterEach(async () => {
    await front.stop();
    await sample.remove();
  });

  it('it ends as it is wanted, with one thing for each, and nothing of others touched', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 10 }),
        fc.array(fault, { maxLength: 30 }),
        async (steps, happening) => {
          const world = new World(sample, front, happening);
          for (const each of steps) await world.go(each);
          await world.settle();
          world.check();
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** The operator's turns, as operator/reconcile/sync-provider.ts takes them, over the sample server. */
class World {
  readonly #sample: SampleProcess;
  readonly #happening: Fault[];
  readonly #wanted = new Map<number, DesiredLoadBalancer>();
  readonly #left = new Map<number, DesiredLoadBalancer>();
  readonly #foreign = { id: foreignId(), config: { address: '192.0.2.99', allow: 'nobody' } };
  readonly #spec;
  #provider: Provider;
  #uids = 0;

  constructor(sample: SampleProcess, front: WebhookFront, happening: readonly Fault[]) {
    this.#sample = sample;
    this.#happening = [...happening];
    const parameters = { addresses: '192.0.2.10 192.0.2.11 192.0.2.12' };
    this.#spec = loadBalancerProviderSpecSchema.parse({
      webhook: { url: front.url, parameters, retries: 0 },
    });
    this.#provider = newProvider();
    front.interfere = (request) => this.#interfere(request);
    sample.putDevice({ [FOREIGN_KEY]: this.#foreign });
  }

  async go(step: Step): Promise<void> {
    switch (step.kind) {
      case 'want':
        this.#want(step.service, step.ports, step.nodes);
        break;
      case 'leave':
        this.#leave(step.service);
        break;
      case 'restart':
        this.#provider = newProvider();
        break;
      case 'edit':
        this.#sample.editDevice((device) => {
          const entry = device[keyOf(step.service)];
          if (entry !== undefined) entry.config.allow = 'somebody else';
        });
        break;
      case 'look':
        await attempt(() => this.#refresh());
    }
    await this.#turns();
  }

  /** Nothing is in the way any more: a look at everything, and a turn of each. */
  async settle(): Promise<void> {
    this.#happening.length = 0;
    await this.#refresh();
    expect(await this.#turns()).to.deep.equal([]);
  }

  check(): void {
    const { device } = this.#sample;
    const keys = [...this.#wanted.keys()].map(keyOf);
    expect(Object.keys(device)).to.have.members([FOREIGN_KEY, ...keys]);
    expect(device[FOREIGN_KEY]).to.deep.equal(this.#foreign);
    for (const [service, { id, spec, nodes }] of this.#wanted) {
      const entry = device[keyOf(service)];
      expect(entry?.id).to.deep.equal(id);
      const { address, allow, ...listeners } = entry?.config ?? {};
      expect(allow).to.equal('everybody');
      expect(address).to.match(/^192\.0\.2\.1[012]$/);
      const ports = (spec.frontends ?? []).map(({ port }) => `listen ${port}/TCP`);
      expect(Object.keys(listeners)).to.have.members(ports);
      for (const targets of Object.values(listeners)) {
        expect(targets.split(', ').filter(Boolean)).to.have.length(nodes.length);
      }
    }
    const addresses = Object.values(device).map(({ config }) => config.address);
    expect(new Set(addresses).size).to.equal(addresses.length);
  }

  #want(service: number, ports: readonly number[], nodes: number): void {
    const before = this.#wanted.get(service);
    // A Service of that name comes back only once the former one is let go.
    if (before === undefined && this.#left.has(service)) return;
    const name = `web-${service}`;
    const uid = before?.id.serviceUid ?? `uid-${this.#uids++}`;
    this.#wanted.set(service, {
      id: { clusterId: CLUSTER, namespace: 'shop', name: `${name}.own`, serviceUid: uid },
      provider: { name: 'own', spec: this.#spec },
      spec: {
        service: { name, uid },
        provider: { name: 'own', type: 'webhook' },
        scheme: 'Public',
        frontends: ports.map((port) => ({ protocol: 'TCP', port, nodePort: 30_000 + port })),
        targets: { mode: 'NodePort', drainSeconds: 0 },
        externalTrafficPolicy: 'Cluster',
      },
      nodes: Array.from({ length: nodes }, (_, index) => ({
        name: `node-${index}`,
        addresses: [`10.0.0.${index + 1}`],
        draining: false,
      })),
      pods: [],
      sharedWith: [],
    });
  }

  #leave(service: number): void {
    const wanted = this.#wanted.get(service);
    if (wanted === undefined) return;
    this.#wanted.delete(service);
    this.#left.set(service, wanted);
  }

  /** One of each; answers who failed. */
  async #turns(): Promise<number[]> {
    const failed: number[] = [];
    for (const [service, desired] of this.#wanted) {
      if (!(await attempt(() => this.#serve(desired)))) failed.push(service);
    }
    for (const [service, { id, provider }] of this.#left) {
      const isGone = await attempt(() => this.#remove({ id, provider }));
      if (isGone) this.#left.delete(service);
      else failed.push(service);
    }
    return failed;
  }

  async #serve(desired: DesiredLoadBalancer): Promise<void> {
    const provider = this.#provider;
    const model = provider.build(desired);
    const observed = await provider.observe(desired, undefined, signal);
    for (const change of provider.diff(model, observed)) await provider.apply(change, desired, signal);
    const after = await provider.observe(desired, undefined, signal);
    expect(provider.diff(model, after)).to.deep.equal([]);
    expect(provider.status(model, after).ingress).to.have.length(1);
  }

  async #remove(subject: Pick<DesiredLoadBalancer, 'id' | 'provider'>): Promise<void> {
    const provider = this.#provider;
    const observed = await provider.observe(subject, undefined, signal);
    for (const change of provider.diff(undefined, observed)) await provider.apply(change, subject, signal);
    const after = await provider.observe(subject, undefined, signal);
    expect(provider.diff(undefined, after)).to.deep.equal([]);
  }

  async #refresh(): Promise<void> {
    const ids = await this.#provider.refresh?.({ name: 'own', spec: this.#spec }, CLUSTER, signal);
    expect((ids ?? []).map(({ clusterId }) => clusterId)).to.not.include('another-cluster');
  }

  async #interfere({ operation, body }: SeenRequest): Promise<FrontAnswer | undefined> {
    const fault = this.#happening.shift() ?? 'none';
    if (fault === 'none') return undefined;
    if (fault === 'before') throw new Error('lost');
    if (fault === 'busy') {
      const refusal = { apiVersion: CONTRACT_VERSION, reason: 'Busy', message: 'Not now.' };
      return { status: 503, body: refusal };
    }
    const target = `http://127.0.0.1:${this.#sample.port}/v1/${operation}`;
    await fetch(target, { method: 'POST', body: JSON.stringify(body) });
    if (fault === 'after') throw new Error('lost');
    return { body: '<html>' };
  }
}

function newProvider(): Provider {
  return createWebhookProvider({
    readSecret: async () => ({}),
    readConfigMap: async () => ({}),
    observeCall: () => {},
    tellProvider: () => {},
  });
}

/** Whether it came to its end. What the test itself finds is no failure of a turn. */
async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error;
    return false;
  }
}

function keyOf(service: number): string {
  return `${CLUSTER}/shop/web-${service}.own`;
}

function foreignId() {
  return { clusterId: 'another-cluster', namespace: 'shop', name: 'web-0.own', serviceUid: 'theirs' };
}
