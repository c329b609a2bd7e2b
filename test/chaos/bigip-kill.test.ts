import { expect } from 'chai';
import { findCondition } from '../../kube/conditions.ts';
import type { Service } from '../../kube/objects.ts';
import { NAMESPACES, NODES, SERVICES } from '../../kube/resources.ts';
import { SERVICE_CONDITION } from '../../operator/plan/names.ts';
import { app, TestClient } from '../api/bigip-peer/support.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import { type BigIpPeer, startBigIp } from '../peers/bigip/bigip-peer.ts';
import { membersOf } from '../peers/bigip/members.ts';
import { membersOfClass, object, objects } from '../peers/bigip/plain.ts';
import { eventually, sleep } from '../support/eventually.ts';
import { DeviceKills } from './support/device-kills.ts';
import { makeBigIpProvider } from './support/make-bigip-provider.ts';
import { OperatorPair } from './support/operator-pair.ts';
import { Random } from './support/random.ts';

const KILLS = Number(process.env.CHAOS_KILLS ?? 200);
const CHANGES = 50;
const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** An operator takes seconds to start, a device none: one kill in so many is an operator's. */
const OPERATOR_EACH = 10;
/** A device of its own, or a pair. */
const UNITS = SEED % 2 === 0 ? 1 : 2;
const SYSTEM = 'fairlead-system';
const NAMESPACE = 'shop';
const PROVIDER = 'f5';
const TENANT = 'chaos';
/** Somebody else's application in the tenant. */
const THEIRS = 'theirs';
const MOST_SERVICES = 12;

describe('operator and BIG-IP killed at any moment while Services come, change and go', function () {
  this.timeout(420_000);
  let cluster: ControlPlane;
  let peer: BigIpPeer;
  let operators: OperatorPair;
  let made = 0;
  const alive = new Set<string>();
  const nodes: string[] = [];
  const seed = `CHAOS_SEED=${SEED}`;
  const random = new Random(SEED);

  before(async () => {
    cluster = await startControlPlane();
    const client = cluster.adminClient();
    await installCrds(client);
    for (const name of [SYSTEM, NAMESPACE]) await client.create(NAMESPACES, { metadata: { name } });
    peer = await startBigIp({ units: UNITS, times: { declaration: 50, perChange: 2 } });
    peer.unit.create('ltm/virtual', {
      name: 'theirs',
      partition: 'Common',
      destination: '/Common/203.0.113.8:80',
      ipProtocol: 'tcp',
    });
    const byHand = new TestClient(peer.unit);
    await byHand.declareApps(TENANT, { [THEIRS]: app('203.0.113.9') });
    const utilCmdArgs = `config-sync to-group ${peer.group}`;
    if (peer.group !== undefined) await byHand.post('/mgmt/tm/cm', { command: 'run', utilCmdArgs });
    const addresses = ['192.0.2.0/25'];
    await makeBigIpProvider(client, peer, { name: PROVIDER, system: SYSTEM, tenant: TENANT, addresses });
    for (let count = 0; count < 2; count++) await addNode();
    operators = new OperatorPair(client, cluster.kubeconfig, SYSTEM);
    await operators.leader();
  });

  after(async () => {
    await operators?.stop();
    await peer?.stop();
    await cluster?.stop();
  });

  async function addNode(): Promise<void> {
    const name = `node-${++made}`;
    const client = cluster.adminClient();
    await client.create(NODES, { metadata: { name } });
    const status = { addresses: [{ type: 'InternalIP', address: `10.20.0.${made}` }] };
    const how = { contentType: 'merge', subresource: 'status' } as const;
    await client.patch(NODES, undefined, name, { status }, how);
    nodes.push(name);
  }

  async function change(): Promise<void> {
    const client = cluster.adminClient();
    const what = random.next();
    const name = random.pick([...alive]);
    if (name === undefined || (what < 0.4 && alive.size < MOST_SERVICES)) {
      const created = `s-${++made}`;
      alive.add(created);
      await client.create(SERVICES, {
        metadata: { name: created, namespace: NAMESPACE },
        spec: {
          type: 'LoadBalancer',
          loadBalancerClass: `fairlead.dev/${PROVIDER}`,
          ports: [{ name: 'http', port: 80 }],
        },
      });
    } else if (what < 0.65) {
      const ports = [{ name: 'http', port: random.between(80, 99) }];
      const loadBalancerSourceRanges = random.pick([[], ['10.0.0.0/8'], ['10.0.0.0/8', '192.0.2.0/24']]);
      const spec = { ports, loadBalancerSourceRanges };
      await client.patch(SERVICES, NAMESPACE, name, { spec }, { contentType: 'merge' });
    } else if (what < 0.8) {
      alive.delete(name);
      await client.delete(SERVICES, NAMESPACE, name);
    } else if (nodes.length < 4) await addNode();
    else await client.delete(NODES, undefined, nodes.shift() ?? '');
  }

  async function killOperator(): Promise<void> {
    // Most die at work, some while they take the lead or take in what there is.
    await operators.replace(random.next() < 0.85 ? await operators.leader() : operators.elder);
  }

  /** What the device has in the tenant, but for what isn't ours: `kind path`. */
  function ownObjects(): string[] {
    const ours = [`/${TENANT}/203.0.113.9`, `/${TENANT}/${THEIRS}`];
    return peer.active.configuration
      .all()
      .filter(({ path }) => path.startsWith(`/${TENANT}/`))
      .filter(({ path }) => !ours.some((each) => path === each || path.startsWith(`${each}/`)))
      .filter(({ path }) => !/^\/chaos\/10\.0\.0\.\d+$/.test(path))
      .map(({ kind, path }) => `${kind} ${path}`);
  }

  /** Theirs, byte for byte: elsewhere, and in the tenant. */
  function foreign(): Record<string, unknown> {
    const theirs = peer.active.configuration
      .all()
      .filter(({ path }) => path.startsWith(`/${TENANT}/${THEIRS}/`));
    return { elsewhere: peer.foreignObjects([TENANT]), theirs, declared: declared()[THEIRS] };
  }

  function declared(): Record<string, unknown> {
    const tenant = object(object(peer.active.state.declarations[0])[TENANT]);
    return structuredClone(Object.fromEntries(membersOfClass(tenant, 'Application')));
  }

  async function services(): Promise<Service[]> {
    return (await cluster.adminClient().list(SERVICES, { namespace: NAMESPACE })).items;
  }

  /** What Services say that aren't served. */
  async function explain(): Promise<string> {
    const told = (await services()).flatMap(({ metadata, status }) => {
      const { message, status: isReady } = findCondition(status?.conditions, SERVICE_CONDITION) ?? {};
      return isReady === 'True' ? [] : `${metadata.name}: ${message}`;
    });
    return told.join('; ');
  }

  async function expectRight(): Promise<void> {
    const all = await services();
    expect(all.map(({ metadata }) => metadata.name)).to.have.members([...alive]);
    const wanted = all.map(({ status, spec }) => {
      const [port] = spec?.ports ?? [];
      return { address: status?.loadBalancer?.ingress?.[0]?.ip, port: port?.port, nodePort: port?.nodePort };
    });
    const { configuration } = peer.active;
    const own = <T extends { path: string }>(each: T) => !each.path.startsWith(`/${TENANT}/${THEIRS}/`);
    const virtuals = configuration.list('ltm/virtual').filter(own);
    const listening = virtuals.filter(({ path }) => path.startsWith(`/${TENANT}/`)).map(listensAt);
    expect(listening).to.have.members(wanted.map(({ address, port }) => `${address}:${port}`));
    const addresses = (await cluster.adminClient().list(NODES)).items.flatMap(
      ({ status }) => status?.addresses?.map(({ address }) => address) ?? [],
    );
    const members = configuration
      .list('ltm/pool')
      .filter(own)
      .flatMap(({ properties }) => membersOf(properties).map(({ address, port }) => `${address}:${port}`));
    expect(members).to.have.members(
      wanted.flatMap(({ nodePort }) => addresses.map((address) => `${address}:${nodePort}`)),
    );
    expect(Object.keys(declared())).to.have.length(all.length + 1);
    expect(peer.units.every((unit) => unit.configuration.equals(configuration))).to.equal(true);
  }

  /** With lists of sources, the address is in traffic matching criteria. */
  function listensAt({ properties }: { properties: Record<string, unknown> }): string {
    const criteria = String(properties.trafficMatchingCriteria ?? '');
    if (criteria === '') return String(properties.destination).split('/').at(-1) ?? '';
    const found = peer.active.configuration.get('ltm/traffic-matching-criteria', criteria) ?? {};
    const ports = peer.active.configuration.get('net/port-list', String(found.destinationPortList));
    const [port] = objects(ports?.ports);
    return `${String(found.destinationAddressInline).split('/')[0]}:${port?.name}`;
  }

  it(`ends right on ${UNITS === 1 ? 'a device' : 'a pair'}, with nothing of others touched (${KILLS} kills, ${CHANGES} changes, ${seed})`, async () => {
    const before = foreign();
    const devices = new DeviceKills(peer, new Random(SEED + 1));
    let operatorsKilled = 0;
    let changes = 0;
    const running: Promise<void>[] = [];
    for (let count = 0; count < KILLS; count++) {
      while (changes < (CHANGES * (count + 1)) / KILLS) {
        changes++;
        running.push(change());
      }
      // Most of it happens at work.
      if (random.next() < 0.9) await operators.leader();
      await sleep(random.between(0, 100));
      if (count % OPERATOR_EACH === 0) {
        operatorsKilled++;
        await killOperator();
      } else await devices.kill();
    }
    await Promise.all(running);
    const settlesAt = performance.now();
    await eventually(expectRight, 120_000).catch(async (cause: unknown) => {
      const wrong = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${seed}: ${wrong}; Services that aren't served: ${await explain()}`, { cause });
    });
    const settledSeconds = Math.round((performance.now() - settlesAt) / 1_000);
    expect(foreign(), seed).to.deep.equal(before);
    // That it was a test at all.
    expect(devices.inDeclarations).to.be.greaterThan(KILLS / 10);
    expect(changes).to.equal(CHANGES);

    const left = [...alive];
    alive.clear();
    await Promise.all(left.map((name) => cluster.adminClient().delete(SERVICES, NAMESPACE, name)));
    await eventually(async () => {
      expect(await services(), seed).to.deep.equal([]);
      expect(ownObjects(), seed).to.deep.equal([]);
    }, 60_000);
    expect(foreign(), seed).to.deep.equal(before);
    const told = `${operatorsKilled} operators and ${devices.count} times the device, ${devices.inDeclarations} of these in a declaration; right after ${settledSeconds} s`;
    process.stdout.write(`      killed: ${told}\n`);
  });
});
