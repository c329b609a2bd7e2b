import { expect } from 'chai';
import { removeTables } from '../../../agent/clean-up.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import type { Service } from '../../../kube/objects.ts';
import { clusterIpsOf, merge, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, NodeAgent, PODS } from '../support/forwarding-lab.ts';
import { run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';

const [POD_1, POD_2, , CALLER] = PODS;
const NODE_3 = NODES[2];
if (!POD_1 || !POD_2 || !CALLER || !NODE_3) throw new Error('the lab is too small');

const CLUSTER_IP = clusterIpsOf(70)[0];
const TABLE = 'ip fairlead';

const TWO = [POD_1, POD_2];

/** One Service each with a plain way, affinity, endpoints of this node only, and source ranges. */
function buildObjects() {
  const adapt = (sketch: ReturnType<typeof sketchService>, spec: Partial<Service['spec']>) => ({
    ...sketch,
    service: { ...sketch.service, spec: { ...sketch.service.spec, ...spec } },
  });
  return merge(
    sketchService({ name: 'web', host: 70, pods: TWO }),
    adapt(sketchService({ name: 'sticky', host: 71, pods: TWO }), { sessionAffinity: 'ClientIP' }),
    adapt(sketchService({ name: 'near', host: 72, ports: [{ nodePort: 30072 }], ingress: ['198.18.7.72'] }), {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['198.18.0.0/24', '10.244.0.0/16'],
    }),
    sketchService({ name: 'empty', host: 73, pods: [] }),
  );
}

/** On node-3, where one of the pods is the caller. */
describe('agent: its tables altered by hand', function () {
  this.timeout(90_000);
  const nft = createNft(['ip', 'netns', 'exec', NODE_3.name]);
  const objects = buildObjects();
  let lab: ForwardingLab;
  let audited: NodeAgent;

  const load = (input: string) => nft({ args: ['-f', '-'], input });
  /** Everything but who came where, and how much. */
  const ownTables = async () => {
    const texts = await Promise.all(
      ['ip', 'ip6'].map((family) => nft({ args: ['list', 'table', family, 'fairlead'] })),
    );
    return texts
      .join('')
      .replaceAll(/packets \d+ bytes \d+/g, '')
      .replaceAll(/(set affinity \{[^}]*?)\t\telements = \{[^}]*\}\n/g, '$1');
  };
  const untilRepaired = async (before: string) => {
    const deadline = Date.now() + 60_000;
    let now = await ownTables().catch(() => 'gone');
    while (now !== before && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      now = await ownTables().catch(() => 'gone');
    }
    expect(sorted(now)).to.deep.equal(sorted(before));
  };
  const startAudited = async (auditMs: number) => {
    audited = new NodeAgent(NODE_3, { auditMs });
    await audited.start();
    await audited.become(objects);
  };
  const firstChain = async (prefix: string) => {
    const [, name] = new RegExp(`chain (${prefix}\\S+) \\{`).exec(await ownTables()) ?? [];
    if (name === undefined) throw new Error(`there is no chain ${prefix}`);
    return name;
  };

  before(async () => {
    lab = await sharedLab();
    await lab.agents[2]?.stop();
  });

  beforeEach(async () => {
    await removeTables(nft);
  });

  afterEach(async () => {
    await audited.stop();
  });

  after(async () => {
    await lab.agents[2]?.restart({ services: [], slices: [] });
  });

  const flush = (kind: string, name: string) => () => load(`flush ${kind} ${TABLE} ${name}`);
  const damages: [what: string, finding: string, damage: () => Promise<unknown>][] = [
    ['a table that was deleted', 'TableMissing', () => load(`delete table ${TABLE}`)],
    ['all tables that were deleted', 'TableMissing', () => removeTables(nft)],
    ['a table that was put to sleep', 'TableDormant', () => load(`add table ${TABLE} { flags dormant; }`)],
    ['services that were emptied', 'ElementsDiffer', flush('map', 'services')],
    ['near endpoints that were emptied', 'ElementsDiffer', flush('map', 'near-service-endpoints')],
    ['a firewall that was emptied', 'ElementsDiffer', flush('map', 'firewall')],
    ['hairpin that was emptied', 'ElementsDiffer', flush('set', 'hairpin')],
    [
      'an element that was deleted',
      'ElementsDiffer',
      () => load(`delete element ${TABLE} services { ${CLUSTER_IP} . tcp . 80 }`),
    ],
    [
      'an element that was put in',
      'ElementsDiffer',
      () => load(`add element ${TABLE} no-endpoint-services { 10.96.0.99 . tcp . 80 : drop }`),
    ],
    [
      'an element that leads elsewhere',
      'ElementsDiffer',
      () =>
        load(`delete element ${TABLE} service-endpoints { ${CLUSTER_IP} . tcp . 80 . 0 }
          add element ${TABLE} service-endpoints { ${CLUSTER_IP} . tcp . 80 . 0 : 10.9.9.9 . 80 }`),
    ],
    ['a chain that was emptied', 'RulesDiffer', flush('chain', 'dispatch')],
    ['a rule that was put in', 'RulesDiffer', () => load(`insert rule ${TABLE} nat-prerouting drop`)],
    [
      'a chain that drops what it has no rule for',
      'RulesDiffer',
      () => load(`add chain ${TABLE} filter-forward { policy drop; }`),
    ],
    [
      'a sticky chain that was emptied',
      'RulesDiffer',
      async () => load(`flush chain ${TABLE} ${await firstChain('sticky-')}`),
    ],
    [
      'a sticky chain that leads elsewhere',
      'RulesDiffer',
      async () => {
        const chain = `${TABLE} ${await firstChain('sticky-')}`;
        await load(`flush chain ${chain}
          add rule ${chain} meta l4proto tcp dnat ip to 10.9.9.9:80`);
      },
    ],
    [
      'source ranges that were opened',
      'RulesDiffer',
      async () => load(`insert rule ${TABLE} ${await firstChain('ranges-')} accept`),
    ],
    [
      'a chain that was put in',
      'ForeignChain',
      () => load(`add chain ${TABLE} mine { type filter hook forward priority -5; policy drop; }`),
    ],
    [
      'a chain that hangs elsewhere',
      'ForeignChain',
      () =>
        load(`delete chain ${TABLE} nat-prerouting
          add chain ${TABLE} nat-prerouting { type nat hook prerouting priority 5; }`),
    ],
  ];

  for (const [what, finding, damage] of damages) {
    it(`repairs ${what}, and counts it`, async () => {
      await startAudited(100);
      // It has seen its own rules.
      await new Promise((resolve) => setTimeout(resolve, 400));
      const before = await ownTables();
      await damage();
      await untilRepaired(before);
      // A table that goes between two of its looks is found by the second.
      expect(audited.findings.length).to.be.within(1, 2);
      expect(audited.findings).to.include(finding);
      const dial = await lab.station(CALLER.name).dial('tcp', CLUSTER_IP, 80, 2_000);
      expect(dial.result).to.equal('served');
    });
  }

  it('repairs a rule that was altered before it ever looked at its own', async () => {
    await startAudited(1_000);
    const before = await ownTables();
    await load(`insert rule ${TABLE} filter-forward drop`);
    await load(`insert rule ${TABLE} ${await firstChain('sticky-')} drop`);
    await untilRepaired(before);
    expect(audited.findings).to.include('RulesDiffer');
  });

  it('counts a table that a change found missing before any look did', async () => {
    await startAudited(3_600_000);
    const before = await ownTables();
    await removeTables(nft);
    await audited.become({ ...objects, services: objects.services.slice(0, 1) });
    await audited.become(objects);
    await untilRepaired(before);
    expect(audited.findings).to.deep.equal(['ChangeRefused']);
  });

  it('finds nothing where nobody knows the names of protocols, as in small images', async () => {
    await run('mount', '--bind', '/dev/null', '/etc/protocols');
    try {
      await startAudited(20);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(audited.findings).to.deep.equal([]);
    } finally {
      await run('umount', '/etc/protocols');
    }
  });

  it('finds nothing, and writes nothing, when nothing was done but serving', async () => {
    await startAudited(20);
    const before = audited.forwarding.generation;
    for (const host of [70, 71, 72, 70, 71, 72]) {
      await lab.station(CALLER.name).dial('tcp', clusterIpsOf(host)[0], 80, 2_000);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(audited.findings).to.deep.equal([]);
    expect(audited.forwarding.generation).to.equal(before);
  });
});

/** The order of elements is the kernel's. */
function sorted(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.replace(/elements = \{|\}$/, '').trim())
    .sort();
}
