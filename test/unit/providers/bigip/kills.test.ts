import { expect } from 'chai';
import { isClass } from '../../../../kube/errors.ts';
import { PARTITION_KINDS } from '../../../../providers/bigip/observe/partition-kinds.ts';
import { seededRandom } from '../../../peers/aws/seeded-random.ts';
import { TENANT, type Wishes } from './support/desired.ts';
import { Rig } from './support/rig.ts';

const CHANGES = 50;
const KILLS = 200;
const NAMES = ['web', 'api', 'dns', 'mail', 'shop'];
const NODES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];

describe('providers/bigip: operator and device killed at random', () => {
  for (const units of [1, 2] as const) {
    for (const perApp of [true, false]) {
      const where = units === 1 ? 'a device' : 'a pair';
      const how = perApp ? 'per application' : 'whole tenants';
      it(`ends right on ${where} with ${how}, ${KILLS / 4} times during ${CHANGES} changes`, async function () {
        this.timeout(120_000);
        const random = seededRandom(units * 10 + Number(perApp));
        const rig = await Rig.start({ units, perApp });
        try {
          const before = rig.peer.foreignObjects([TENANT]);
          const wanted = new Map<string, Wishes>();
          let kills = 0;
          // Each call may be the last one of the device's process, or of ours.
          rig.peer.beforeCall(({ path, unit }) => {
            // Of reading what others have a few are enough: they are a hundred calls in a row.
            if (isListing(path) && random() > 0.02) return;
            if (kills >= KILLS / 4 || random() > 0.12) return;
            kills++;
            if (random() < 0.4) return rig.restartOperator();
            const inFlight = (['lost', 'applied', 'unsaved'] as const)[Math.floor(random() * 3)] ?? 'lost';
            rig.peer.units.find(({ host }) => host === unit)?.restart({ inFlight });
            if (units === 2 && random() < 0.3) rig.peer.failOver();
          });
          for (let change = 0; change < CHANGES; change++) {
            const index = Math.floor(random() * NAMES.length);
            const name = NAMES[index] ?? 'web';
            const nodes = NODES.filter(() => random() < 0.6);
            const wishes = { name, nodes, address: `198.51.100.${index + 1}`, drainSeconds: 0 };
            const isRemoval = wanted.has(name) && random() < 0.3;
            if (isRemoval) wanted.delete(name);
            else wanted.set(name, wishes);
            const desired = rig.desire(wishes);
            await (isRemoval ? rig.remove(desired) : rig.bring(desired)).catch(passing);
          }
          rig.peer.heal();
          await settle(rig, wanted);
          const destinations = rig.peer.active.configuration
            .list('ltm/virtual')
            .map(({ properties }) => properties.destination);
          expect(destinations).to.have.members(
            [...wanted.values()].map(({ address }) => `/${TENANT}/${address}:80`),
          );
          expect(kills).to.be.greaterThan(20);
          expect(rig.peer.foreignObjects([TENANT])).to.deep.equal(before);
        } finally {
          await rig.stop();
        }
      });
    }
  }
});

function isListing(path: string): boolean {
  return PARTITION_KINDS.some((kind) => path === `/mgmt/tm/${kind}`);
}

/** As the operator goes on: each Service is tried again, the device looked at, what nobody wants taken away. */
async function settle(rig: Rig, wanted: ReadonlyMap<string, Wishes>): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const owners = await rig.refresh(rig.desire()).catch(passing);
    for (const owner of owners ?? []) {
      const name = owner.name.replace(/\.f5$/, '');
      if (!wanted.has(name)) await rig.remove(rig.desire({ name })).catch(passing);
    }
    for (const wishes of wanted.values()) await rig.bring(rig.desire(wishes)).catch(passing);
  }
  for (const wishes of wanted.values()) expect(await rig.compare(rig.desire(wishes))).to.deep.equal([]);
}

/** Whatever is tried again; and what was cut off. */
function passing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'AbortError') return undefined;
  if (isClass(error, 'Transient', 'Throttled', 'NotFound')) return undefined;
  throw error;
}
