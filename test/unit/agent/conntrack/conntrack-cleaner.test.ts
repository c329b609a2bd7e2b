import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type CleanUp, ConntrackCleaner } from '../../../../agent/conntrack/conntrack-cleaner.ts';
import { ConntrackError, type FlowTable, type Listing } from '../../../../agent/conntrack/flow-table.ts';
import type { Flow } from '../../../../agent/conntrack/parse-flow.ts';
import type { ServedInputs } from '../../../../agent/service-observer.ts';
import { silentLogger } from '../../../../kube/log.ts';
import type { Endpoint, Protocol } from '../../../../kube/objects.ts';
import { endpoint, NODE, service, slice } from '../support/objects.ts';

const SERVICE = 'default/dns';
const [FIRST, SECOND, THIRD] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

describe('agent: looking after connection tracking', () => {
  let kernel: FakeFlows;
  let cleaner: ConntrackCleaner;
  let cleanUps: CleanUp[];

  const start = (options: { gapMs?: number; reconcileMs?: number; retryMs?: number } = {}) => {
    cleaner = new ConntrackCleaner({
      table: kernel,
      context: () => ({ nodeName: NODE, addresses: [], serve: 'All', externalIps: [] }),
      nodePortAddresses: () => ['10.89.0.11'],
      log: silentLogger,
      onCleanUp: (cleanUp) => cleanUps.push(cleanUp),
      gapMs: 20,
      retryMs: 20,
      ...options,
    });
  };
  const apply = (inputs: ServedInputs | undefined, key = SERVICE) => {
    cleaner.compiled(key, inputs);
    cleaner.taken();
    cleaner.takenApplied();
  };

  beforeEach(() => {
    kernel = new FakeFlows();
    cleanUps = [];
    start();
  });
  afterEach(() => cleaner.stop());

  it('deletes what is stale, once that is in the kernel and not before', async () => {
    kernel.flows = [flowTo(FIRST), flowTo(SECOND)];
    cleaner.compiled(SERVICE, dns(endpoint(SECOND)));
    cleaner.taken();
    await sleep(60);
    expect(kernel.listings).to.deep.equal([]);

    cleaner.takenApplied();
    await until(() => kernel.flows.length === 1);
    expect(kernel.flows).to.deep.equal([flowTo(SECOND)]);
    await until(() => cleanUps.length === 2);
    expect(cleanUps.map(({ family, deleted }) => [family, deleted])).to.deep.equal([
      ['ip', 1],
      ['ip6', 0],
    ]);
  });

  it('looks once after its start, at what was there before', async () => {
    kernel.flows = [flowTo(FIRST), flowTo('10.96.0.1', { replyPort: 53 })];
    apply(dns(endpoint(SECOND)));
    await until(() => kernel.flows.length === 0);
  });

  it('looks at no flows without Services that they could be of', async () => {
    apply(web(), 'default/none-over-udp');
    await until(() => kernel.listings.length > 0);
    expect(kernel.listings.map(({ protocol }) => protocol)).to.not.include('udp');
  });

  it('rests when nothing changes, and looks again at its interval', async () => {
    await cleaner.stop();
    // Far more than a busy machine takes from the first look to here.
    start({ reconcileMs: 1_000 });
    apply(dns(endpoint(FIRST)));
    await until(() => kernel.listings.length >= 2);
    await sleep(50);
    expect(kernel.listings.length).to.equal(2);

    kernel.flows = [flowTo(THIRD)];
    await until(() => kernel.flows.length === 0);
  });

  it('gathers changes that come while it looks or rests, one look at a time', async () => {
    await cleaner.stop();
    start({ gapMs: 100 });
    kernel.everyListingMs = 20;
    const startedAt = performance.now();
    for (let round = 0; performance.now() - startedAt < 1_000; round++) {
      apply(dns(endpoint(`10.0.1.${round % 250}`)));
      await sleep(5);
    }
    const looks = kernel.listings.filter(({ family }) => family === 'ip').length;
    expect(kernel.mostAtOnce).to.equal(1);
    expect(looks).to.be.within(1, 10);
  });

  it('finds flows of an endpoint that was there between two looks only', async () => {
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.flows = [flowTo(SECOND)];
    apply(dns(endpoint(FIRST), endpoint(SECOND)));
    apply(dns(endpoint(FIRST)));
    await until(() => kernel.flows.length === 0);
  });

  it('judges by what is in the kernel, not by what is still to be written', async () => {
    await cleaner.stop();
    start({ reconcileMs: 30 });
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length >= 2);
    kernel.flows = [flowTo(FIRST)];
    cleaner.compiled(SERVICE, dns(endpoint(SECOND)));
    cleaner.compiled(SERVICE, dns(endpoint(SECOND), endpoint(THIRD)));
    const before = cleanUps.length;
    await until(() => cleanUps.length >= before + 4);
    expect(kernel.flows).to.deep.equal([flowTo(FIRST)]);

    apply(dns(endpoint(SECOND), endpoint(THIRD)));
    await until(() => kernel.flows.length === 0);
  });

  it('leaves flows with endpoints alone that the kernel had before it knew', async () => {
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.flows = [flowTo(SECOND), flowTo(THIRD)];
    apply(dns(), 'default/rival');
    cleaner.compiled(SERVICE, dns(endpoint(FIRST), endpoint(SECOND)));
    cleaner.taken();
    await until(() => cleanUps.length === 4);
    expect(kernel.flows).to.deep.equal([flowTo(SECOND)]);

    apply(dns(endpoint(FIRST)));
    await until(() => kernel.flows.length === 0);
  });

  it('deletes flows of a Service that is gone, and none that were never its own', async () => {
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.flows = [flowTo(FIRST), flowTo('172.16.0.1')];
    apply(undefined);
    await until(() => kernel.flows.length === 1);
    expect(kernel.flows).to.deep.equal([flowTo('172.16.0.1')]);
  });

  it('deletes connections that wait at what is served now, and no others', async () => {
    const waiting = flowTo('10.96.0.1', { protocol: 'tcp', replyPort: 53 });
    const elsewhere = flowTo('192.0.2.1', { protocol: 'tcp', destination: '192.0.2.1', replyPort: 53 });
    const translated = flowTo(THIRD, { protocol: 'tcp' });
    kernel.flows = [waiting, elsewhere, translated];
    apply(dnsOver('TCP', endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    expect(kernel.flows).to.deep.equal([elsewhere, translated]);
    expect(kernel.listings.every(({ state }) => state === 'SYN_SENT')).to.equal(true);
  });

  it('deletes connections that wait for an endpoint that went, though it was there between two looks only', async () => {
    apply(dnsOver('TCP', endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.flows = [FIRST, SECOND, THIRD].map((to) => flowTo(to, { protocol: 'tcp' }));
    apply(dnsOver('TCP', endpoint(FIRST), endpoint(SECOND), endpoint(THIRD)));
    apply(dnsOver('TCP', endpoint(FIRST), endpoint(THIRD)));
    await until(() => cleanUps.length === 4);
    expect(kernel.flows.map(({ replySource }) => replySource)).to.deep.equal([FIRST, THIRD]);
  });

  it('leaves connections alone that wait for an endpoint that is back', async () => {
    apply(dnsOver('TCP', endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.flows = [flowTo(FIRST, { protocol: 'tcp' })];
    apply(dnsOver('TCP', endpoint(SECOND)));
    cleaner.compiled(SERVICE, dnsOver('TCP', endpoint(FIRST)));
    cleaner.taken();
    await until(() => cleanUps.length === 4);
    expect(kernel.flows).to.have.length(1);
  });

  it('tries again what failed, with all that was to be looked for', async () => {
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    kernel.failure = new ConntrackError('Failed', 'conntrack ended with 1: no');
    kernel.flows = [flowTo(FIRST), flowTo('10.96.0.1', { protocol: 'tcp', replyPort: 53 })];
    apply(undefined);
    apply(dnsOver('TCP', endpoint(FIRST)), 'default/web');
    await until(() => cleaner.problem !== null);
    expect(cleaner.problem).to.equal('conntrack ended with 1: no');

    kernel.failure = null;
    await until(() => kernel.flows.length === 0);
    await until(() => cleaner.problem === null);
  });

  it('says that the program is missing, tries seldom, and goes on once it is there', async () => {
    await cleaner.stop();
    start({ reconcileMs: 300 });
    kernel.failure = new ConntrackError('Missing', "conntrack can't be run: spawn conntrack ENOENT");
    apply(dns(endpoint(FIRST)));
    await until(() => cleaner.problem !== null);
    expect(cleaner.problem).to.match(/spawn conntrack ENOENT/);
    kernel.flows = [flowTo(THIRD)];
    kernel.failure = null;
    await until(() => kernel.flows.length === 0);
    await until(() => cleaner.problem === null);
  });

  it('deletes more than it keeps in memory, part by part', async () => {
    kernel.flows = Array.from({ length: 45_000 }, (_, index) => flowTo(THIRD, { id: index }));
    apply(dns(endpoint(FIRST)));
    await until(() => cleanUps.length === 2);
    expect(kernel.flows.length).to.equal(0);
    expect(kernel.mostDeleted).to.be.at.most(20_000);
    expect(cleanUps[0]?.deleted).to.equal(45_000);
  });
});

/** A table of flows of IPv4. */
class FakeFlows implements FlowTable {
  flows: Flow[] = [];
  failure: ConntrackError | null = null;
  everyListingMs = 0;
  readonly listings: Listing[] = [];
  mostAtOnce = 0;
  mostDeleted = 0;
  #running = 0;

  async list(listing: Listing, each: (flow: Flow) => void): Promise<void> {
    this.listings.push(listing);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
    await sleep(this.everyListingMs);
    this.#running--;
    if (this.failure !== null) throw this.failure;
    if (listing.family === 'ip6') return;
    for (const flow of this.flows) if (flow.protocol === listing.protocol) each(flow);
  }

  async delete(flows: readonly Flow[]): Promise<number> {
    const before = this.flows.length;
    const gone = new Set(flows);
    this.flows = this.flows.filter((flow) => !gone.has(flow));
    this.mostDeleted = Math.max(this.mostDeleted, flows.length);
    return before - this.flows.length;
  }
}

function flowTo(replySource: string, more: Partial<Flow> = {}): Flow {
  return {
    protocol: 'udp',
    source: '10.244.1.3',
    sourcePort: 40_000,
    destination: '10.96.0.1',
    port: 53,
    replySource,
    replyPort: 5353,
    id: 1,
    ...more,
  };
}

function dns(...endpoints: Endpoint[]): ServedInputs {
  return dnsOver('UDP', ...endpoints);
}

function dnsOver(protocol: Protocol, ...endpoints: Endpoint[]): ServedInputs {
  return {
    service: service('dns', { ports: [{ name: 'dns', protocol, port: 53 }] }),
    slices: [slice('dns', endpoints, { ports: [{ name: 'dns', protocol, port: 5353 }] })],
    loadBalancers: [],
    part: 'Everything',
  };
}

function web(): ServedInputs {
  return {
    service: service('web'),
    slices: [slice('web', [endpoint(FIRST)])],
    loadBalancers: [],
    part: 'Everything',
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it never came to that');
    await sleep(5);
  }
}
