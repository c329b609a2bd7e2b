import { expect } from 'chai';
import { AddressBook } from '../../../operator/allocate/address-book.ts';
import { allocateAddresses } from '../../../operator/allocate/allocate-addresses.ts';
import { addressesOf, addressPool, addressPools, addressRequest, claim, filledBook } from './support.ts';

const dual = { families: ['IPv4', 'IPv6'] as const };

/** A decision that must be a refusal. */
function refusal(decision: ReturnType<typeof allocateAddresses>): { reason: string; message: string } {
  if (decision.kind !== 'refused') throw new Error(`granted ${addressesOf(decision).join()}`);
  return decision;
}

describe('allocate/allocate-addresses', () => {
  describe('choosing', () => {
    it('gives the lowest free address, the first and the last of a CIDR included', () => {
      const pools = addressPools(addressPool('a', ['192.0.2.0/30']));
      const book = new AddressBook();

      const given = [0, 1, 2, 3].map((index) =>
        addressesOf(claim(book, pools, addressRequest(`a/s${index}`))),
      );

      expect(given).to.deep.equal([['192.0.2.0'], ['192.0.2.1'], ['192.0.2.2'], ['192.0.2.3']]);
    });

    it('tries pools by priority, then by name, and goes on when one is full', () => {
      const pools = addressPools(
        addressPool('b', ['192.0.2.2']),
        addressPool('a', ['192.0.2.1']),
        addressPool('z', ['192.0.2.9'], { priority: 5 }),
      );
      const book = new AddressBook();

      const given = [0, 1, 2].map(
        (index) => claim(book, pools, addressRequest(`a/s${index}`)).claims[0]?.pool,
      );

      expect(given).to.deep.equal(['z', 'a', 'b']);
    });

    it('gives back the address that was released', () => {
      const pools = addressPools(addressPool('a', ['192.0.2.0/30']));
      const book = filledBook(pools, 4);

      book.release('a/s2.p');

      expect(addressesOf(claim(book, pools, addressRequest('a/new')))).to.deep.equal(['192.0.2.2']);
    });

    it('draws from a pool without autoAssign only when asked for it', () => {
      const pools = addressPools(addressPool('a', ['192.0.2.1'], { autoAssign: false }));

      const unasked = refusal(allocateAddresses(addressRequest('a/s'), pools, new AddressBook()));
      const byPool = allocateAddresses(addressRequest('a/s', { pools: ['a'] }), pools, new AddressBook());
      const byAddress = allocateAddresses(
        addressRequest('a/s', { addresses: ['192.0.2.1'] }),
        pools,
        new AddressBook(),
      );

      expect(unasked.message).to.contain('autoAssign is false');
      expect([addressesOf(byPool), addressesOf(byAddress)]).to.deep.equal([['192.0.2.1'], ['192.0.2.1']]);
    });

    it('reads an asked-for address in any of its texts', () => {
      const pools = addressPools(addressPool('a', ['fd00::/64']));

      const decision = allocateAddresses(
        addressRequest('a/s', { families: ['IPv6'], addresses: ['FD00:0:0::00A'] }),
        pools,
        new AddressBook(),
      );

      expect(addressesOf(decision)).to.deep.equal(['fd00::a']);
    });
  });

  describe('two families', () => {
    const both = addressPools(addressPool('a', ['192.0.2.0/31', 'fd00::10-fd00::11']));
    const v4Only = addressPools(addressPool('a', ['192.0.2.0/31']));

    it('gives one of each, in the order of the Service', () => {
      const decision = allocateAddresses(
        addressRequest('a/s', { families: ['IPv6', 'IPv4'] }),
        both,
        new AddressBook(),
      );

      expect(addressesOf(decision)).to.deep.equal(['fd00::10', '192.0.2.0']);
    });

    it('gives none when both are required and one is missing', () => {
      const decision = allocateAddresses(
        addressRequest('a/s', { ...dual, allFamilies: true }),
        v4Only,
        new AddressBook(),
      );

      expect(refusal(decision).message).to.contain('pool "a" has no IPv6 addresses');
      expect(decision.claims).to.deep.equal([]);
    });

    it('gives what there is when both are preferred, and says what is missing', () => {
      const decision = allocateAddresses(addressRequest('a/s', dual), v4Only, new AddressBook());

      expect(decision.kind).to.equal('granted');
      expect(addressesOf(decision)).to.deep.equal(['192.0.2.0']);
      expect(decision.findings.map((finding) => finding.reason)).to.deep.equal(['AddressFamilyUnavailable']);
    });

    it('keeps the first address when a second family is added, and when it is taken away again', () => {
      const book = filledBook(both, 2);

      const upgraded = claim(book, both, addressRequest('a/s1', { ...dual, allFamilies: true }));
      const downgraded = claim(book, both, addressRequest('a/s1'));

      expect(addressesOf(upgraded)).to.deep.equal(['192.0.2.1', 'fd00::10']);
      expect(addressesOf(downgraded)).to.deep.equal(['192.0.2.1']);
      expect(book.holdersOf('fd00::10')).to.deep.equal([]);
    });

    it('keeps the first address when the second family that is required cannot be had', () => {
      const book = filledBook(v4Only, 1);

      const decision = allocateAddresses(
        addressRequest('a/s0', { ...dual, allFamilies: true }),
        v4Only,
        book,
      );

      expect(decision.kind).to.equal('refused');
      expect(addressesOf(decision)).to.deep.equal(['192.0.2.0']);
    });
  });

  describe('keeping', () => {
    const before = addressPools(addressPool('a', ['192.0.2.0/30']));
    const edits: [what: string, pools: ReturnType<typeof addressPools>, findings: string[]][] = [
      ['disabled', addressPools(addressPool('a', ['192.0.2.0/30'], { disabled: true })), []],
      [
        'closed to its namespace',
        addressPools(
          addressPool('a', ['192.0.2.0/30'], { namespaceSelector: { matchLabels: { team: 'x' } } }),
        ),
        [],
      ],
      ['renamed', addressPools(addppool()), []],
      ['emptied of it', addressPools(addressPool('a', ['198.51.100.0/30'])), ['AddressOutsidePool']],
      ['deleted', addressPools(), ['AddressOutsidePool']],
    ];
    function addppool() {
      return addressPool('other-name', ['192.0.2.0/30']);
    }
    for (const [what, pools, findings] of edits) {
      it(`keeps an address whose pool was ${what}`, () => {
        const book = filledBook(before, 2);

        const decision = allocateAddresses(addressRequest('a/s1'), pools, book);

        expect(decision.kind).to.equal('granted');
        expect(addressesOf(decision)).to.deep.equal(['192.0.2.1']);
        expect(decision.findings.map((finding) => finding.reason)).to.deep.equal(findings);
      });
    }

    it('names the pool that holds a kept address now', () => {
      const book = filledBook(before, 1);

      const decision = allocateAddresses(addressRequest('a/s0'), addressPools(addppool()), book);

      expect(decision.claims).to.deep.equal([{ address: '192.0.2.0', family: 'IPv4', pool: 'other-name' }]);
    });

    it('moves to another address or pool when the Service asks for it', () => {
      const pools = addressPools(addressPool('a', ['192.0.2.0/30']), addressPool('b', ['198.51.100.0/30']));
      const book = filledBook(pools, 1);

      const byAddress = claim(book, pools, addressRequest('a/s0', { addresses: ['192.0.2.3'] }));
      const byPool = claim(book, pools, addressRequest('a/s0', { pools: ['b'] }));

      expect(addressesOf(byAddress)).to.deep.equal(['192.0.2.3']);
      expect(addressesOf(byPool)).to.deep.equal(['198.51.100.0']);
      expect(book.holdersOf('192.0.2.3')).to.deep.equal([]);
    });

    it('keeps what it has while the address or pool that it asks for cannot be had', () => {
      const pools = addressPools(addressPool('a', ['192.0.2.0/30']), addressPool('b', ['198.51.100.0/32']));
      const book = filledBook(pools, 2);
      claim(book, pools, addressRequest('a/other', { pools: ['b'] }));

      const taken = allocateAddresses(addressRequest('a/s0', { addresses: ['192.0.2.1'] }), pools, book);
      const full = allocateAddresses(addressRequest('a/s0', { ...dual, pools: ['b'] }), pools, book);
      const missing = allocateAddresses(addressRequest('a/s0', { pools: ['nowhere'] }), pools, book);

      expect([taken, full, missing].map((decision) => refusal(decision).reason)).to.deep.equal([
        'AddressTaken',
        'AddressPoolExhausted',
        'AddressPoolNotFound',
      ]);
      for (const decision of [taken, full, missing]) {
        expect(addressesOf(decision)).to.deep.equal(['192.0.2.0']);
      }
    });

    it('moves neither of two owners that hold one address, and tells both', () => {
      const book = new AddressBook();
      const claims = [{ address: '192.0.2.1', family: 'IPv4' as const, pool: 'a' }];
      for (const name of ['x', 'y']) book.set({ ...addressRequest(`a/${name}`), claims });

      const decisions = ['x', 'y'].map((name) =>
        allocateAddresses(addressRequest(`a/${name}`), before, book),
      );

      for (const decision of decisions) {
        expect(decision.kind).to.equal('granted');
        expect(addressesOf(decision)).to.deep.equal(['192.0.2.1']);
        expect(decision.findings.map((finding) => finding.reason)).to.deep.equal(['AddressClaimedTwice']);
      }
      expect(decisions[0]?.findings[0]?.message).to.contain('a/y');
    });
  });

  describe('refusing', () => {
    const pools = addressPools(
      addressPool('small', ['192.0.2.0/31']),
      addressPool('off', ['192.0.2.16/28'], { disabled: true }),
      addressPool('team', ['192.0.2.32/28'], { namespaceSelector: { matchLabels: { team: 'x' } } }),
      addressPool('labelled', ['192.0.2.48/28'], { serviceSelector: { matchLabels: { edge: 'yes' } } }),
      addressPool('manual', ['192.0.2.64/28'], { autoAssign: false }),
      addressPool('elsewhere', ['192.0.2.80/28'], { providers: ['q'] }),
      addressPool('six', ['fd00::/120']),
    );

    it('names every pool and why it did not serve', () => {
      const { reason, message } = refusal(
        allocateAddresses(addressRequest('a/late'), pools, filledBook(pools, 2)),
      );

      expect(reason).to.equal('AddressPoolExhausted');
      expect(message).to.equal(
        'No IPv4 address: pool "elsewhere" is not for provider "p"; pool "labelled" does not select the Service\'s labels; ' +
          'pool "manual" serves only who asks for it (autoAssign is false); pool "off" is disabled; pool "six" has no IPv4 addresses; ' +
          'pool "small" is exhausted (2 of 2 IPv4 addresses in use); pool "team" does not select namespace "a". ' +
          'Add addresses to a pool, or delete Services that need theirs no more.',
      );
    });

    it('serves those that the selectors let in', () => {
      const book = filledBook(pools, 2);

      const byNamespace = allocateAddresses(
        addressRequest('a/n', { namespaceLabels: { team: 'x' } }),
        pools,
        book,
      );
      const byService = allocateAddresses(
        addressRequest('a/l', { serviceLabels: { edge: 'yes' } }),
        pools,
        book,
      );

      expect(byNamespace.claims[0]?.pool).to.equal('team');
      expect(byService.claims[0]?.pool).to.equal('labelled');
    });

    it('keeps the message short when pools are many', () => {
      const many = addressPools(
        ...Array.from({ length: 200 }, (_, index) =>
          addressPool(`p${index}`, ['192.0.2.0/28'], { disabled: true }),
        ),
      );

      const { reason, message } = refusal(allocateAddresses(addressRequest('a/s'), many, new AddressBook()));

      expect(reason).to.equal('NoMatchingAddressPool');
      expect(message).to.contain('and 190 more pools');
      expect(message.length).to.be.lessThan(1000);
    });

    const asked: [
      what: string,
      request: Parameters<typeof addressRequest>[1],
      reason: string,
      says: string,
    ][] = [
      ['no address', { addresses: ['192.0.2'] }, 'InvalidAddress', '"192.0.2" is not an IP address'],
      [
        'two addresses of one family',
        { addresses: ['192.0.2.1', '192.0.2.0'] },
        'InvalidAddress',
        'Two IPv4 addresses',
      ],
      [
        'an address of a family it lacks',
        { addresses: ['fd00::1'] },
        'AddressFamilyNotWanted',
        'spec.ipFamilies',
      ],
      [
        'an address that no pool holds',
        { addresses: ['203.0.113.1'] },
        'AddressNotInPool',
        '203.0.113.1 is not in any AddressPool',
      ],
      [
        'an address outside the pool that it asks for',
        { addresses: ['192.0.2.0'], pools: ['manual'] },
        'AddressNotInPool',
        '192.0.2.0 is not in pool manual',
      ],
      [
        'an address of a pool that is disabled',
        { addresses: ['192.0.2.16'] },
        'AddressNotAllowed',
        'pool "off", which is disabled',
      ],
      [
        "an address of another team's pool",
        { addresses: ['192.0.2.32'] },
        'AddressNotAllowed',
        'pool "team", which does not select namespace "a"',
      ],
      ['an address that is taken', { addresses: ['192.0.2.1'] }, 'AddressTaken', 'taken by Service a/s1'],
      [
        'an address that it has at another provider',
        { addresses: ['192.0.2.1'], namespace: 'a', service: 's1', provider: 'another' },
        'AddressTaken',
        'at one provider only: take fairlead.dev/address away',
      ],
      [
        'a pool that does not exist',
        { pools: ['nowhere'] },
        'AddressPoolNotFound',
        'no AddressPool "nowhere"',
      ],
    ];
    for (const [what, request, reason, says] of asked) {
      it(`refuses a Service that asks for ${what}`, () => {
        const decision = refusal(
          allocateAddresses(addressRequest('a/late', request), pools, filledBook(pools, 2)),
        );

        expect(decision.reason).to.equal(reason);
        expect(decision.message).to.contain(says);
      });
    }

    it('says that there is no pool', () => {
      const decision = allocateAddresses(addressRequest('a/s'), [], new AddressBook());

      expect(refusal(decision).reason).to.equal('NoAddressPool');
    });
  });

  describe('sharing', () => {
    const pools = addressPools(addressPool('a', ['192.0.2.0/29']));
    const web = { sharedKey: 'k', frontends: [{ protocol: 'TCP' as const, port: 80 }] };
    const dns = { sharedKey: 'k', frontends: [{ protocol: 'UDP' as const, port: 80 }] };

    it('gives one address to Services of a namespace with one key and other ports', () => {
      const book = filledBook(pools, 1);
      claim(book, pools, addressRequest('a/web', web));

      const decision = claim(book, pools, addressRequest('a/dns', dns));

      expect(addressesOf(decision)).to.deep.equal(['192.0.2.1']);
      expect(book.holdersOf('192.0.2.1').map((holding) => holding.service)).to.deep.equal(['dns', 'web']);
    });

    it('frees a shared address only when its last holder lets go', () => {
      const book = new AddressBook();
      claim(book, pools, addressRequest('a/web', web));
      claim(book, pools, addressRequest('a/dns', dns));

      book.release('a/web.p');
      const whileHeld = allocateAddresses(addressRequest('a/s'), pools, book);
      book.release('a/dns.p');
      const afterwards = allocateAddresses(addressRequest('a/s'), pools, book);

      expect(addressesOf(whileHeld)).to.deep.equal(['192.0.2.1']);
      expect(addressesOf(afterwards)).to.deep.equal(['192.0.2.0']);
    });

    it('gives an address of its own, and says so, when ports clash', () => {
      const book = new AddressBook();
      claim(book, pools, addressRequest('a/web', web));

      const decision = claim(book, pools, addressRequest('a/web2', web));

      expect(addressesOf(decision)).to.deep.equal(['192.0.2.1']);
      expect(decision.findings[0]?.reason).to.equal('SharedAddressPortsClash');
      expect(decision.findings[0]?.message).to.contain('Service a/web, which has TCP port 80 already');
    });

    const refusals: [
      what: string,
      key: string,
      request: Parameters<typeof addressRequest>[1],
      reason: string,
    ][] = [
      ['another namespace', 'b/x', dns, 'SharedAddressOtherNamespace'],
      ['another key', 'a/x', { ...dns, sharedKey: 'other' }, 'SharedAddressOtherKey'],
      ['no key', 'a/x', { frontends: dns.frontends }, 'AddressTaken'],
      ['another provider', 'a/x', { ...dns, provider: 'q' }, 'SharedAddressOtherProvider'],
      ['the same port', 'a/x', web, 'SharedAddressPortsClash'],
    ];
    for (const [what, key, request, reason] of refusals) {
      it(`refuses the address that is asked for to a Service of ${what}`, () => {
        const book = new AddressBook();
        claim(book, pools, addressRequest('a/web', web));

        const decision = allocateAddresses(
          addressRequest(key, { ...request, addresses: ['192.0.2.0'] }),
          pools,
          book,
        );

        expect(refusal(decision).reason).to.equal(reason);
        expect(refusal(decision).message).to.contain('a/web');
      });
    }

    it('lets one that asks for another address leave the others, as a refusal says', () => {
      const book = new AddressBook();
      claim(book, pools, addressRequest('a/web', web));
      claim(book, pools, addressRequest('a/dns', dns));

      const alone = addressRequest('a/dns', { frontends: dns.frontends, addresses: ['192.0.2.1'] });
      const rekeyed = allocateAddresses(addressRequest('a/dns', { ...dns, sharedKey: 'mine' }), pools, book);

      expect(refusal(rekeyed).message).to.contain('name a free one in fairlead.dev/address');
      expect(addressesOf(allocateAddresses(alone, pools, book))).to.deep.equal(['192.0.2.1']);
    });

    it('refuses a change of ports or key that would break in on the others, and keeps what is', () => {
      const book = new AddressBook();
      claim(book, pools, addressRequest('a/web', web));
      claim(book, pools, addressRequest('a/dns', dns));

      const clash = allocateAddresses(addressRequest('a/dns', web), pools, book);
      const keyless = allocateAddresses(addressRequest('a/dns', { frontends: dns.frontends }), pools, book);

      expect(refusal(clash).reason).to.equal('SharedAddressPortsClash');
      expect(refusal(keyless).reason).to.equal('AddressTaken');
      expect(refusal(clash).message).to.contain('change the port');
      expect(refusal(keyless).message)
        .to.contain('shared with a/web')
        .and.to.contain('name a free one in fairlead.dev/address');
      expect([addressesOf(clash), addressesOf(keyless)]).to.deep.equal([['192.0.2.0'], ['192.0.2.0']]);
    });
  });
});
