import { expect } from 'chai';
import fc from 'fast-check';
import { membersOf, poolsOf } from '../../../../providers/bigip/members.ts';
import { applicationOf } from '../../../../providers/bigip/names.ts';
import { desire, TENANT } from './support/desired.ts';
import { inventoryOf } from './support/inventory.ts';
import { MemoryDevice } from './support/memory-device.ts';
import { bring, statusOf } from './support/turn.ts';

const NODES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const DRAIN_SECONDS = 30;
const START = Date.parse('2026-11-21T12:00:00Z');

const step = fc.record({
  /** Seconds until it happens. */
  after: fc.integer({ min: 0, max: 45 }),
  nodes: fc.subarray(NODES),
  restart: fc.boolean(),
});

describe('providers/bigip: draining', () => {
  it('keeps who left disabled for as long as it may, and nobody longer, whatever comes when', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const device = new MemoryDevice({}, {}, true);
        let now = START;
        let inventory = inventoryOf([device], { now: () => now });
        const leftAt = new Map<string, number>();
        let before: string[] = [];
        for (const { after, nodes, restart } of steps) {
          now += after * 1000;
          if (restart) inventory = inventoryOf([device], { now: () => now });
          const service = desire({ nodes, drainSeconds: DRAIN_SECONDS });
          for (const node of before) if (!nodes.includes(node)) leftAt.set(node, now);
          for (const node of nodes) leftAt.delete(node);
          before = nodes;

          await bring(inventory, service);
          const draining = [...leftAt].flatMap(([node, at]) =>
            now - at < DRAIN_SECONDS * 1000 ? [node] : [],
          );
          const application = device.tenants[TENANT]?.[applicationOf(service.id)] ?? {};
          const members = poolsOf(application).flatMap(([, pool]) => membersOf(pool));
          const inState = (state: string) =>
            members.filter(({ adminState }) => adminState === state).map(({ address }) => address);
          expect(inState('enable')).to.have.members(nodes);
          expect(inState('disable')).to.have.members(draining);
          expect(await bring(inventory, service), 'again').to.deep.equal([]);
          const { waitsForOthers } = await statusOf(inventory, service);
          expect(waitsForOthers !== undefined).to.equal(draining.length > 0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
