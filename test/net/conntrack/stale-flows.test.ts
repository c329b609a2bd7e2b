import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConntrackError, createFlowTable } from '../../../agent/conntrack/flow-table.ts';
import type { Flow } from '../../../agent/conntrack/parse-flow.ts';
import { eventually } from '../../support/eventually.ts';
import { clusterIpsOf, merge, type ServiceSketch, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { ipBatch, run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';
import type { Outcome } from '../support/station-protocol.ts';

const [POD_1, POD_1B, POD_2, POD_3] = PODS;
const [NODE_1] = NODES;
if (!POD_1 || !POD_1B || !POD_2 || !POD_3 || !NODE_1) throw new Error('the lab is too small');

const GATEWAY = '10.89.0.254';
const HOST = 60;
const CROWD = 2_000;
/** An endpoint that is no more. */
const WENT = '10.244.2.250';
const families = ['ipv4', 'ipv6'] as const;
const clients = ['10.244.1.77', 'fd00:244:1::77'] as const;

describe('agent on the real kernel: flows that go on', function () {
  this.timeout(120_000);
  let lab: ForwardingLab;

  before(async () => {
    lab = await sharedLab();
  });

  const become = (...sketches: ServiceSketch[]) => lab.become(merge(...sketches.map(sketchService)));
  const dns = (pods: ServiceSketch['pods'], targetPort = 8080): ServiceSketch => ({
    name: 'dns',
    host: HOST,
    pods: pods ?? [],
    ports: [{ transport: 'udp', port: 53, targetPort, nodePort: 30053 }],
  });
  const flows = async (...filter: string[]) =>
    (await run('ip', 'netns', 'exec', NODE_1.name, 'conntrack', '-L', ...filter))
      .split('\n')
      .filter((line) => line !== '');

  const untilNone = async (...filter: string[]) => {
    const deadline = Date.now() + 20_000;
    while ((await flows(...filter)).length > 0) {
      if (Date.now() > deadline) throw new Error(`there still are ${await flows(...filter)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  /** Uses a flow until it ends as it should. */
  const until = async (id: string, wanted: (outcome: Outcome) => boolean): Promise<Outcome> => {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const outcome = await lab.station(POD_1B.name).useFlow(id);
      if (wanted(outcome)) return outcome;
      if (Date.now() > deadline) throw new Error(`the flow still ends as ${JSON.stringify(outcome)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const servedBy = (name: string) => (outcome: Outcome) => outcome.result === 'served' && outcome.by === name;

  for (const family of [0, 1] as const) {
    describe(`over ${families[family]}`, () => {
      const address = clusterIpsOf(HOST)[family] ?? '';
      let id: string;

      beforeEach(async function () {
        id = `${family} ${this.currentTest?.title ?? ''}`;
        await become(dns([POD_2]));
        await lab.station(POD_1B.name).openFlow(id, { transport: 'udp', address, port: 53 });
        await until(id, servedBy(POD_2.name));
      });
      afterEach(() => lab.station(POD_1B.name).closeFlow(id));

      it('lead to the endpoint that came in the place of another', async () => {
        await become(dns([POD_3]));
        await until(id, servedBy(POD_3.name));
      });

      it('are refused once there is no endpoint, and served when there is one again', async () => {
        await become(dns([]));
        await until(id, ({ result }) => result === 'refused');
        await become(dns([POD_3]));
        await until(id, servedBy(POD_3.name));
      });

      it('follow the target port', async () => {
        await lab.station(POD_2.name).listen('udp', 9000 + family);
        await become(dns([POD_2], 9000 + family));
        await until(id, (outcome) => outcome.result === 'served' && outcome.at === 9000 + family);
      });

      it('end with their Service', async () => {
        await become();
        await untilNone('-p', 'udp', '-f', families[family], '-d', address);
      });

      it('stay with an endpoint that terminates and serves, while those of one that went go', async () => {
        const [kept, gone] = [POD_2, POD_3].map((pod) => [pod.address, pod.address6][family] ?? '');
        await become(dns([POD_2, POD_3]));
        await addFlows(crowd({ size: 5, from: clients[family], to: address, answeredBy: gone ?? '' }));
        await become(dns([[POD_2, 'terminating'], POD_1]));
        await untilNone('-p', 'udp', '-f', families[family], '-d', address, '-r', gone ?? '');

        expect(
          await flows('-p', 'udp', '-f', families[family], '-d', address, '-r', kept ?? ''),
        ).to.have.length(1);
        const outcome = await lab.station(POD_1B.name).useFlow(id, 5_000);
        expect(outcome).to.include({ result: 'served', by: POD_2.name });
      });
    });
  }

  it('of nobody and of other Services are left alone while thousands of stale ones go, whatever they are to', async () => {
    const other: ServiceSketch = { name: 'other', host: HOST + 1, ports: [{ transport: 'udp', port: 53 }] };
    const many = Array.from({ length: 100 }, (_, index): ServiceSketch => {
      return { name: `many-${index}`, host: 100 + index, ports: [{ transport: 'udp', port: 53 }] };
    });
    const [stale] = clusterIpsOf(HOST);
    const [living] = clusterIpsOf(HOST + 1);
    const foreign = '192.0.2.53';
    await become(dns([POD_2]), other, ...many);
    const [from] = clients;
    await addFlows([
      ...crowd({ size: CROWD, from, to: stale, answeredBy: WENT }),
      ...many.flatMap(({ host = 0 }) => {
        const firstPort = 20_000 + host * 20;
        return crowd({ size: 20, firstPort, from, to: clusterIpsOf(host)[0], answeredBy: WENT });
      }),
      ...crowd({ size: 50, from, to: living, answeredBy: POD_2.address }),
      ...crowd({ size: 50, from, to: foreign, answeredBy: foreign }),
    ]);
    const count = async (...filter: string[]) => (await flows('-p', 'udp', '-f', 'ipv4', ...filter)).length;

    await become(dns([POD_2], 8081), other, ...many);
    await untilNone('-p', 'udp', '-f', 'ipv4', '-r', WENT);
    expect(await count('-d', living)).to.equal(50);
    expect(await count('-d', foreign)).to.equal(50);
  });

  it('of TCP go only where they wait for an answer, and never another one that is in their place', async () => {
    const early = '203.0.113.62';
    const add = (port: number, state: string) =>
      `-I -p tcp -t 300 --state ${state} -s 10.244.1.77 -d ${early} --sport ${port} --dport 80`;
    await become();
    await addFlows([add(40_001, 'SYN_SENT'), add(40_002, 'ESTABLISHED')]);
    const table = createFlowTable(['ip', 'netns', 'exec', NODE_1.name]);
    const waiting: Flow[] = [];
    await table.list({ family: 'ip', protocol: 'tcp', state: 'SYN_SENT' }, (flow) => waiting.push(flow));
    const [flow] = waiting.filter(({ destination }) => destination === early);
    if (flow === undefined) throw new Error('it is not in the table');
    expect(await table.delete([{ ...flow, id: (flow.id + 1) % 2 ** 32 }])).to.equal(0);
    expect(await flows('-p', 'tcp', '-d', early)).to.have.length(2);

    await become({ name: 'web', host: HOST, ingress: [early] });
    await untilNone('-p', 'tcp', '-d', early, '--state', 'SYN_SENT');
    const [left = ''] = await flows('-p', 'tcp', '-d', early);
    expect(left).to.match(/ESTABLISHED .*sport=40002 /);
  });

  it('of TCP that began before an address was served are let go, and open ones stay', async () => {
    const early = '203.0.113.61';
    // Who isn't served yet is heard by nobody: a router that doesn't answer, rather than one that isn't there.
    await ipBatch([`neigh replace ${GATEWAY} lladdr 02:00:00:00:00:99 dev eth0 nud permanent`], NODE_1.name);
    await become({ name: 'web', host: HOST });
    await lab.station(POD_1.name).hold(clusterIpsOf(HOST)[0], 80);
    const waiting = lab.client.openFlow('early', {
      transport: 'tcp',
      address: early,
      port: 80,
      timeoutMs: 20_000,
    });
    // Whatever becomes of it is told where it's awaited.
    waiting.catch(() => {});
    // The first segment has passed the node untranslated by then.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await become({ name: 'web', host: HOST, ingress: [early] });

    await waiting;
    expect((await lab.client.useFlow('early', 5_000)).result).to.equal('served');
    expect(await lab.station(POD_1.name).talk('still there')).to.equal('still there');
    await lab.client.closeFlow('early');
    await ipBatch([`neigh del ${GATEWAY} dev eth0`], NODE_1.name);
  });

  it('of TCP reach another endpoint by their next try when the first one is lost before it answers', async () => {
    const inLost = (...command: string[]) => run('ip', 'netns', 'exec', POD_3.name, 'nft', ...command);
    const [address] = clusterIpsOf(HOST);
    await become({ name: 'web', host: HOST, pods: [POD_3] });
    await inLost('add table inet lost { chain input { type filter hook input priority 0; policy drop; }; }');
    try {
      const from = lab.station(POD_1B.name);
      const waiting = from.openFlow('retried', { transport: 'tcp', address, port: 80, timeoutMs: 20_000 });
      waiting.catch(() => {});
      await eventually(async () =>
        expect(
          await flows('-p', 'tcp', '-d', address, '-r', POD_3.address, '--state', 'SYN_SENT'),
        ).to.have.length(1),
      );
      await become({ name: 'web', host: HOST, pods: [POD_2] });

      await waiting;
      expect(await from.useFlow('retried', 5_000)).to.include({ result: 'served', by: POD_2.name });
      await from.closeFlow('retried');
    } finally {
      await inLost('delete', 'table', 'inet', 'lost');
    }
  });

  it('go when the agent starts, if they became stale while it was away', async () => {
    const [agent] = lab.agents;
    if (agent === undefined) throw new Error('there is no agent');
    const [to] = clusterIpsOf(HOST);
    const objects = merge(sketchService(dns([POD_2])));
    await lab.become(objects);
    await agent.stop();
    const [from] = clients;
    await addFlows([
      ...crowd({ size: 30, from, to, answeredBy: WENT }),
      ...crowd({ size: 30, firstPort: 20_000, from, to, answeredBy: POD_2.address }),
    ]);
    await agent.restart(objects);

    await untilNone('-p', 'udp', '-d', to, '-r', WENT);
    expect(await flows('-p', 'udp', '-d', to, '-r', POD_2.address, '-s', from)).to.have.length(30);
  });

  it('cannot be looked at where the program is missing, which is told', async () => {
    const { PATH } = process.env;
    process.env.PATH = '/nonexistent';
    const listed = createFlowTable().list({ family: 'ip', protocol: 'udp' }, () => {});
    process.env.PATH = PATH;
    const error = await listed.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ConntrackError);
    expect(error).to.include({ failure: 'Missing' });
  });
});

interface Crowd {
  size: number;
  /** Of the first client's; no two flows with one answerer have the same. @default 10000 */
  firstPort?: number;
  from: string;
  to: string;
  answeredBy: string;
}

/** So many flows to port 53 of an address, answered from port 8080 of another, as `conntrack -R` reads them. */
function crowd({ size, firstPort = 10_000, from, to, answeredBy }: Crowd): string[] {
  const ports = Array.from({ length: size }, (_, index) => firstPort + index);
  return ports.map((port) =>
    [
      `-I -p udp -t 300 -s ${from} -d ${to} --sport ${port} --dport 53`,
      `-r ${answeredBy} -q ${from} --reply-port-src 8080 --reply-port-dst ${port}`,
    ].join(' '),
  );
}

async function addFlows(lines: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-flows-'));
  try {
    await writeFile(join(folder, 'flows'), `${lines.join('\n')}\n`);
    await run('ip', 'netns', 'exec', NODE_1?.name ?? '', 'conntrack', '-R', join(folder, 'flows'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
