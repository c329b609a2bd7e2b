import { expect } from 'chai';
import fc from 'fast-check';
import { elementsOf } from '../../../../agent/nftables/diff-entry.ts';
import { countIn, findElement } from '../../../../agent/nftables/find-element.ts';
import { type Entry, idOf, MAPS, SETS } from '../../../../agent/nftables/model.ts';
import { ElementReader } from '../../../../agent/nftables/read-elements.ts';

const endpoints = fc.uniqueArray(
  fc.integer({ min: 1, max: 250 }).map((host) => `10.244.0.${host} . 8080`),
  { maxLength: 4 },
);
const frontend = fc.record(
  {
    family: fc.constantFrom('ip' as const, 'ip6' as const),
    place: fc.constantFrom('services' as const, 'nodeports' as const),
    number: fc.integer({ min: 1, max: 20 }),
    treatment: fc.constantFrom('pick' as const, 'external' as const, 'local' as const),
    endpoints,
    near: endpoints,
    ranges: fc.constant(['10.0.0.0/8']),
    isSticky: fc.boolean(),
    whenEmpty: fc.constant('drop' as const),
  },
  { requiredKeys: ['family', 'place', 'number', 'treatment', 'endpoints'] },
);
const entry: fc.Arbitrary<Entry> = frontend.map(({ number, isSticky = false, ranges, near, ...rest }) => {
  const key = rest.place === 'services' ? `10.96.0.${number} . tcp . 80` : `tcp . ${30000 + number}`;
  const pool = (name: string) => ({ chain: name, members: [], parts: [] });
  return {
    ...rest,
    key,
    ...(rest.treatment === 'local' && near !== undefined ? { near } : {}),
    ...(rest.place === 'services' && ranges !== undefined ? { ranges } : {}),
    ...(isSticky ? { sticky: { any: pool('affinity-1'), near: pool('affinity-2') } } : {}),
  };
});
const member: fc.Arbitrary<Entry> = fc.record({
  family: fc.constantFrom('ip' as const, 'ip6' as const),
  place: fc.constantFrom(...SETS),
  key: fc.integer({ min: 1, max: 20 }).map((host) => `10.96.0.${host}`),
});
const entries = fc.array(fc.oneof(entry, member), { maxLength: 12 });

describe('agent: looking elements up', () => {
  it('finds each element that an entry makes, with its value, and counts them by map', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const byId = new Map(list.map((each) => [idOf(each), each]));
        const elements = [...byId.values()].flatMap(elementsOf);
        for (const { family, map, key, value = '' } of elements) {
          expect(findElement((id) => byId.get(id), { family, map, key })).to.equal(value);
        }
        for (const map of [...MAPS, ...SETS]) {
          const count = [...byId.values()].reduce((sum, each) => sum + countIn(each, map), 0);
          expect(count).to.equal(elements.filter((element) => element.map === map).length);
        }
      }),
    );
  });

  it('finds none that no entry makes', () => {
    const web: Entry = {
      family: 'ip',
      place: 'services',
      key: '10.96.0.1 . tcp . 80',
      treatment: 'pick',
      endpoints: ['10.244.0.1 . 8080'],
    };
    const find = (map: string, key: string) =>
      findElement((id) => (id === idOf(web) ? web : undefined), { family: 'ip', map, key });

    expect(find('service-endpoints', '10.96.0.1 . tcp . 80 . 0')).to.equal('10.244.0.1 . 8080');
    expect(find('service-endpoints', '10.96.0.1 . tcp . 80 . 1')).to.equal(null);
    expect(find('service-endpoints', '10.96.0.1 . tcp . 80 . x')).to.equal(null);
    expect(find('service-endpoints', 'nonsense')).to.equal(null);
    expect(find('no-endpoint-services', '10.96.0.1 . tcp . 80')).to.equal(null);
    expect(find('firewall', '10.96.0.1 . tcp . 80')).to.equal(null);
    expect(find('services', '10.96.0.2 . tcp . 80')).to.equal(null);
  });

  it('reads elements out of what nft prints, however it is cut', () => {
    const text = `table ip fairlead {
	map services {
		typeof ip daddr . meta l4proto . th dport : verdict
		elements = { 10.96.0.3 . 17 . 53 : drop,
			     10.96.0.1 . 6 . 6 : goto pick-5,
			     132 . 17 : drop }
	}
}
table ip6 fairlead {
	set cluster-ips {
		type ipv6_addr
		elements = { fd00::1, fd00::2,
			     fd00::3 }
	}
}
`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
        const seen: string[] = [];
        const reader = new ElementReader((key, value) => seen.push(`${key}=${value}`));
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (const [index, place] of places.entries()) reader.push(text.slice(place, places[index + 1]));
        expect(seen).to.deep.equal([
          '10.96.0.3 . udp . 53=drop',
          '10.96.0.1 . tcp . 6=goto pick-5',
          'sctp . 17=drop',
          'fd00::1=',
          'fd00::2=',
          'fd00::3=',
        ]);
      }),
    );
  });
});
