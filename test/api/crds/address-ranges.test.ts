import { expect } from 'chai';
import fc from 'fast-check';
import { ADDRESS_POOLS } from '../../../crds/resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { IpFamily } from '../../../kube/objects.ts';
import { pathOf } from '../../../kube/resources.ts';
import { formatAddress, parseRange } from '../../../operator/allocate/address-ranges.ts';
import { sharedCluster } from '../support/cluster.ts';

const BITS: Record<IpFamily, number> = { IPv4: 32, IPv6: 128 };
const LINK_LOCAL = [0xa9fe0000n, 0xa9feffffn] as const;

/** Two addresses of one family that differ from some bit on, in either order: what comparing has to get right. */
const pairs = fc.constantFrom<IpFamily>('IPv4', 'IPv6').chain((family) => {
  const bits = BITS[family];
  const value = fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
  return fc.tuple(value, value, fc.integer({ min: 0, max: bits })).map(([a, other, length]) => {
    const low = (1n << BigInt(length)) - 1n;
    return { family, first: a, last: (a & ~low) | (other & low) };
  });
});

describe('A range of addresses', function () {
  this.timeout(120_000);
  let client: KubeClient;

  before(async function () {
    this.timeout(600_000);
    client = (await sharedCluster()).adminClient();
  });

  async function isAccepted(entry: string): Promise<boolean> {
    const body = {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'AddressPool',
      metadata: { generateName: 'range-' },
      spec: { addresses: [entry] },
    };
    try {
      await client.request('POST', pathOf(ADDRESS_POOLS), { body, query: { dryRun: 'All' } });
      return true;
    } catch (error) {
      if (error instanceof ClassedError && error.code === 422) return false;
      throw error;
    }
  }

  it('is taken by the API server exactly when the operator can give out all of it', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async ({ family, first, last }) => {
        const text = [first, last].map((value) => formatAddress({ family, value })).join('-');
        // The one block that only the API server refuses: an operator that meets it anyway does no harm with it.
        const isLinkLocal = family === 'IPv4' && first <= LINK_LOCAL[1] && last >= LINK_LOCAL[0];

        expect(await isAccepted(text), text).to.equal(parseRange(text).kind === 'range' && !isLinkLocal);
      }),
      { numRuns: 150 },
    );
  });
});
