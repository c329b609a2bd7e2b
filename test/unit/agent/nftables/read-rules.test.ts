import { expect } from 'chai';
import {
  findChangedRules,
  isAsMade,
  type ListedTable,
  normalize,
  TableReader,
} from '../../../../agent/nftables/read-rules.ts';

/** As nft 1.0.6 prints it. */
function listing(more = '', count = 2): string {
  return `table ip other { # handle 7
	chain pick-2 { # handle 1
		drop # handle 2
	}
}
table ip fairlead { # handle 9
	counter affinity-full { # handle 4
		packets 12 bytes 600
	}

	map services { # handle 5
		typeof ip daddr . meta l4proto . th dport : verdict
	}

	chain dispatch { # handle 1
		type nat hook prerouting priority -101; policy accept;
		ip daddr . meta l4proto . th dport vmap @services # handle 11
		ip daddr { 10.96.0.0/16,
			   10.97.0.0/16 } drop # handle 13
	}

	chain pick-${count} { # handle 2
		dnat ip to ip daddr . meta l4proto . tcp dport . numgen random mod ${count} map @service-endpoints # handle 14
	}

	chain external-pick-${count} { # handle 3
		meta mark set meta mark | 0x00002000 # handle 15
		goto pick-${count} # handle 16
	}
${more}}
table ip third {
	chain dispatch {
	}
}
`;
}

function read(text: string, family: 'ip' | 'ip6' = 'ip', cut = 50): ListedTable | null {
  const reader = new TableReader(family);
  for (let start = 0; start < text.length; start += cut) reader.push(text.slice(start, start + cut));
  return reader.table;
}

function parse(text: string): ListedTable {
  const table = read(text);
  if (table === null) throw new Error('there is no table');
  return table;
}

function changed(before: string, after: string) {
  return findChangedRules(normalize(parse(before).chains), normalize(parse(after).chains));
}

const SAME = { changed: null, unknown: [] };

describe('agent: telling whether rules were changed', () => {
  it('reads its own table among others, and finds none where there is none', () => {
    const table = parse(listing());
    expect([...table.chains.keys()]).to.deep.equal(['dispatch', 'pick-2', 'external-pick-2']);
    expect(table.chains.get('dispatch')).to.include({
      text:
        '\t\ttype nat hook prerouting priority -101; policy accept;\n' +
        '\t\tip daddr . meta l4proto . th dport vmap @services\n' +
        '\t\tip daddr { 10.96.0.0/16,\n\t\t\t   10.97.0.0/16 } drop\n',
    });
    expect(table).to.include({ dormant: false, overflow: 12 });
    expect(table.chains.get('dispatch')?.hook).to.equal('nat prerouting -101');
    expect(table.chains.get('pick-2')?.hook).to.equal('');
    expect(read(listing(), 'ip6')).to.equal(null);
    for (const cut of [1, 7, 10_000]) expect(read(listing(), 'ip', cut)).to.deep.equal(table);
  });

  it('tells a table that the kernel skips', () => {
    const asleep = listing().replace('fairlead { # handle 9\n', 'fairlead { # handle 9\n\tflags dormant\n');
    expect(parse(asleep).dormant).to.equal(true);
  });

  it('finds nothing in the same rules, and nothing when endpoint counts come and go', () => {
    expect(changed(listing(), listing())).to.deep.equal(SAME);
    expect(changed(listing(), listing('', 12))).to.deep.equal(SAME);
  });

  it('names a treatment that it has not seen before', () => {
    const near = '\n\tchain port-near-3 {\n\t\tdnat ip to numgen random mod 3 map @x # handle 20\n\t}\n';
    expect(changed(listing(), listing(near))).to.deep.equal({ changed: null, unknown: ['port-near'] });
  });

  it('finds a rule that was added, taken away or changed', () => {
    const rule = '\t\tip daddr . meta l4proto . th dport vmap @services # handle 11\n';
    expect(changed(listing(), listing().replace(rule, `${rule}\t\tdrop # handle 12\n`)).changed).to.equal(
      'dispatch',
    );
    expect(changed(listing(), listing().replace(rule, '')).changed).to.equal('dispatch');
    expect(changed(listing(), listing().replace('mod 2 map', 'mod 1 map')).changed).to.equal('pick');
    expect(changed(listing(), listing().replace('goto pick-2', 'goto pick-1')).changed).to.equal(
      'external-pick',
    );
    expect(changed(listing(), listing().replace('policy accept', 'policy drop')).changed).to.equal(
      'dispatch',
    );
  });

  it('finds one of two chains of a treatment that was changed', () => {
    const other = '\n\tchain pick-7 {\n\t\tdrop # handle 20\n\t}\n';
    expect(changed(listing(), listing(other)).changed).to.equal('pick-7');
  });

  it('tells by handles whether rules are as one transaction made them', () => {
    const made = (text: string, counts = [2, 1, 2]) => isAsMade([...parse(text).chains.values()], counts);
    expect(made(listing())).to.equal(true);
    expect(made(listing(), [2, 1, 3]), 'one is missing').to.equal(false);
    expect(made(listing().replace('handle 11', 'handle 17')), 'replaced').to.equal(false);
    expect(made(listing().replace('handle 16', 'handle 17')), 'the last one replaced').to.equal(false);
    expect(made(listing().replace('handle 14', 'handle 15')), 'a set where none is').to.equal(false);
  });
});
