import { expect } from 'chai';
import fc from 'fast-check';
import type { BigIpPeer } from '../../peers/bigip/bigip-peer.ts';
import { app, endings, peerForAll, type TestClient } from './support.ts';

describe('stand-in for BIG-IP: what is nobody’s business', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  peerForAll((...made) => {
    [peer, client] = made;
  });

  it('stays as it is, whatever is declared in other partitions', async () => {
    let round = 0;
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const foreign = fc.record({
      partition: fc.constantFrom('Common', 'Theirs', 'T2'),
      name,
      last: fc.integer({ min: 1, max: 250 }),
    });
    const steps = fc.array(
      fc.record({
        app: fc.constantFrom('a', 'b', 'c'),
        last: fc.integer({ min: 1, max: 250 }),
        kind: fc.constantFrom('one', 'all', 'gone'),
      }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(foreign, { maxLength: 8 }), steps, async (inventory, declarations) => {
        round++;
        for (const partition of ['Theirs', 'T2']) {
          if (!peer.unit.configuration.has('auth/partition', `/${partition}`))
            peer.unit.create('auth/partition', { name: partition });
        }
        inventory.forEach((one, index) => {
          const body = { name: `${one.name}-${round}-${index}`, partition: one.partition };
          peer.unit.create('ltm/pool', { ...body, members: [`10.9.${index}.${one.last}:80`] });
          peer.unit.create('ltm/virtual', {
            ...body,
            destination: `192.0.${100 + index}.${one.last}:${1_000 + round}`,
            pool: `/${one.partition}/${body.name}`,
          });
        });
        const before = peer.foreignObjects(['T']);

        for (const { app: named, last, kind } of declarations) {
          const declared = app(`192.0.2.${last}`, {
            members: [`10.8.0.${last}`],
            member: { shareNodes: last % 2 === 0 },
          });
          if (kind === 'one') await client.declareApps('T', { [named]: declared });
          else if (kind === 'all') await client.declare({ T: { [named]: declared } });
          else await client.delete('/mgmt/shared/appsvcs/declare/T');
        }

        expect(peer.foreignObjects(['T'])).to.deep.equal(before);
      }),
      { numRuns: 30 },
    );
  });

  it('is changed by nobody but a declaration of just that partition, which takes it over', async () => {
    peer.unit.create('auth/partition', { name: 'Mine' });
    peer.unit.create('ltm/pool', { name: 'by-hand', partition: 'Mine' });
    const before = peer.foreignObjects([]);

    const answer = await client.declare({ Mine: { a: app('192.0.2.254', { members: ['10.7.0.1'] }) } });

    // As AS3 does it: a tenant's partition is all its own.
    expect(endings(answer)).to.deep.equal(['Mine: 200 success']);
    expect(before).to.have.property('ltm/pool /Mine/by-hand');
    expect(peer.foreignObjects([])).to.not.have.property('ltm/pool /Mine/by-hand');
  });
});
