import { expect } from 'chai';
import fc from 'fast-check';
import { isClass } from '../../../../kube/errors.ts';
import { buildModel } from '../../../../providers/bigip/build/build-model.ts';
import type { JsonObject } from '../../../../providers/bigip/json.ts';
import { readMark } from '../../../../providers/bigip/owner.ts';
import { CLUSTER, desire, TENANT, type Wishes } from './support/desired.ts';
import { inventoryOf } from './support/inventory.ts';
import { type Applications, type Loose, MemoryDevice } from './support/memory-device.ts';
import { bring, remove } from './support/turn.ts';

const NAMES = ['web', 'api', 'dns'];

/** Whatever may stand under a name: of nobody, of another cluster, of another Service, with a mark that isn't one. */
const foreignApplication: fc.Arbitrary<JsonObject> = fc
  .constantFrom<(JsonObject | undefined)[]>(
    undefined,
    { class: 'Constants' },
    { class: 'Constants', fairlead: 'mine' },
    {
      class: 'Constants',
      fairlead: { cluster: 'another', namespace: 'default', loadBalancer: 'web.f5', serviceUid: 'uid-web' },
    },
    { class: 'Constants', fairlead: { cluster: CLUSTER, namespace: 'default', loadBalancer: 'web.f5' } },
  )
  .map((constants) => ({
    class: 'Application',
    ...(constants === undefined ? {} : { constants }),
    pool_tcp_80_ipv4: { class: 'Pool', members: [{ servicePort: 1, serverAddresses: ['192.0.2.9'] }] },
  }));

/** Names that others have, among them those that ours would have. */
const applicationName = fc.constantFrom(
  'app',
  'shop',
  ...NAMES.map((name) => buildModel(desire({ name })).application),
);

/** Kinds of which AS3 takes what is in the partition, and that aren't part of what a Service becomes. */
const KINDS = [
  'ltm/virtual',
  'ltm/virtual-address',
  'ltm/pool',
  'ltm/node',
  'ltm/rule',
  'ltm/monitor/http',
  'ltm/monitor/udp',
  'ltm/profile/tcp',
  'ltm/persistence/cookie',
  'ltm/policy',
  'ltm/snatpool',
  'ltm/snat-translation',
  'ltm/data-group/internal',
  'ltm/traffic-matching-criteria',
  'net/address-list',
  'net/port-list',
  'security/firewall/address-list',
  'sys/file/ssl-cert',
];

const loose: fc.Arbitrary<Loose> = fc.dictionary(
  fc
    .tuple(
      fc.constantFrom(...KINDS),
      fc.constantFrom(TENANT, 'Common', 'other'),
      fc.constantFrom('a', '192.0.2.77'),
    )
    .map(([kind, partition, name]) => `${kind} /${partition}/${name}`),
  fc.constant({ description: 'by hand' }),
  { maxKeys: 2 },
);

const step = fc.record({
  name: fc.constantFrom(...NAMES),
  what: fc.constantFrom('bring', 'bring', 'remove'),
  nodes: fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
});

interface Inventory {
  ours: Applications;
  foreign: Applications;
  others: Applications;
  loose: Loose;
  perApplication: boolean;
}

const inventory: fc.Arbitrary<Inventory> = fc.record({
  ours: fc.subarray(NAMES).map((names) =>
    Object.fromEntries(
      names.map((name) => {
        const { application, declaration } = buildModel(desire({ name, nodes: ['10.9.9.9'] }));
        return [application, declaration];
      }),
    ),
  ),
  foreign: fc.dictionary(applicationName, foreignApplication, { maxKeys: 3 }),
  others: fc.dictionary(applicationName, foreignApplication, { maxKeys: 2 }),
  loose,
  perApplication: fc.boolean(),
});

describe('providers/bigip: what is on a device and not ours', () => {
  it('is never changed, declared or removed, in 10,000 inventories', async function () {
    this.timeout(300_000);
    await fc.assert(
      fc.asyncProperty(inventory, fc.array(step, { minLength: 1, maxLength: 4 }), async (before, steps) => {
        const tenant = { ...before.ours, ...before.foreign };
        const device = new MemoryDevice(
          structuredClone({ [TENANT]: tenant, other: before.others }),
          structuredClone(before.loose),
          before.perApplication,
        );
        const known = inventoryOf([device]);
        for (const { name, nodes, what } of steps) {
          const wishes: Wishes = { name, nodes };
          const turn = what === 'bring' ? bring(known, desire(wishes)) : remove(known, desire(wishes));
          // In the way of it: told, and nothing done.
          await turn.catch((error: unknown) => {
            if (!isClass(error, 'Rejected')) throw error;
          });
        }
        expect(device.loose).to.deep.equal(before.loose);
        expect(device.tenants.other).to.deep.equal(before.others);
        for (const [name, application] of Object.entries(before.foreign)) {
          expect(device.tenants[TENANT]?.[name]).to.deep.equal(application);
        }
        for (const body of device.posted) expect(declaredOf(body).every(isOurs)).to.equal(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

function declaredOf(body: JsonObject): unknown[] {
  const holder = body.class === 'ADC' ? body[TENANT] : body;
  return Object.values(Object(holder)).filter((each) => Object(each).class === 'Application');
}

function isOurs(application: unknown): boolean {
  return readMark(JSON.parse(JSON.stringify(application)))?.clusterId === CLUSTER;
}
