import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
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

describe('agent on the real kernel: flows that go on', function () {
  this.timeout(60_000);
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
    describe(`over ${['IPv4', 'IPv6'][family]}`, () => {
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
        const filter = ['-p', 'udp', '-f', ['ipv4', 'ipv6'][family] ?? '', '-d', address];
        const deadline = Date.now() + 15_000;
        while ((await flows(...filter)).length > 0 && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(await flows(...filter)).to.deep.equal([]);
      });

      it('stay with an endpoint that terminates and serves, though new ones go elsewhere', async () => {
        await become(dns([[POD_2, 'terminating'], POD_3]));
        await become(dns([[POD_2, 'terminating'], POD_3]), { name: 'more', host: HOST + 1 });
        await new Promise((resolve) => setTimeout(resolve, 2_000));

        expect(await lab.station(POD_1B.name).useFlow(id)).to.include({ result: 'served', by: POD_2.name });
      });
    });
  }

  it('of nobody and of other Services are left alone while thousands of stale ones go', async () => {
    const other: ServiceSketch = { name: 'other', host: HOST + 1, ports: [{ transport: 'udp', port: 53 }] };
    const [stale] = clusterIpsOf(HOST);
    const [living] = clusterIpsOf(HOST + 1);
    const foreign = '192.0.2.53';
    await become(dns([POD_2]), other);
    await addFlows([
      ...crowd(CROWD, stale, '10.244.2.250'),
      ...crowd(50, living, POD_2.address),
      ...crowd(50, foreign, foreign),
    ]);
    const count = async (to: string) => (await flows('-p', 'udp', '-f', 'ipv4', '-d', to)).length;
    expect(await count(stale)).to.be.at.least(CROWD);

    await become(dns([POD_2], 8081), other);
    const deadline = Date.now() + 20_000;
    while ((await count(stale)) > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(await count(stale)).to.equal(0);
    expect(await count(living)).to.equal(50);
    expect(await count(foreign)).to.equal(50);
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
    // The first segment has passed the node untranslated by then.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await become({ name: 'web', host: HOST, ingress: [early] });

    await waiting;
    expect((await lab.client.useFlow('early')).result).to.equal('served');
    expect(await lab.station(POD_1.name).talk('still there')).to.equal('still there');
    await lab.client.closeFlow('early');
    await ipBatch([`neigh del ${GATEWAY} dev eth0`], NODE_1.name);
  });
});

/** So many flows to port 53 of an address, answered from port 8080 of another, as `conntrack -R` reads them. */
function crowd(size: number, to: string, answeredBy: string): string[] {
  const ports = Array.from({ length: size }, (_, index) => 10_000 + index);
  return ports.map((port) =>
    [
      `-I -p udp -t 300 -s 10.244.1.77 -d ${to} --sport ${port} --dport 53`,
      `-r ${answeredBy} -q 10.244.1.77 --reply-port-src 8080 --reply-port-dst ${port}`,
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
