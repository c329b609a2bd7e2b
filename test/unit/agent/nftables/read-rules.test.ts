import { expect } from 'chai';
import { findChangedRules, parseRules } from '../../../../agent/nftables/read-rules.ts';

/** As nft 1.0.6 prints it. */
function listing(more = '', count = 2): string {
  return `table ip fairlead {
	map services {
		typeof ip daddr . meta l4proto . th dport : verdict
	}

	chain dispatch {
		ip daddr . meta l4proto . th dport vmap @services
	}

	chain pick-${count} {
		dnat ip to ip daddr . meta l4proto . tcp dport . numgen random mod ${count} map @service-endpoints
	}

	chain external-pick-${count} {
		meta mark set meta mark | 0x00002000
		goto pick-${count}
	}
${more}}
`;
}

function changed(before: string, after: string): string | null {
  return findChangedRules(parseRules(before), parseRules(after));
}

describe('agent: telling whether rules were changed', () => {
  it('finds nothing in the same rules, and nothing when endpoint counts come and go', () => {
    expect([...parseRules(listing()).keys()]).to.deep.equal(['dispatch', 'pick', 'external-pick']);
    expect(changed(listing(), listing())).to.equal(null);
    expect(changed(listing(), listing('', 12))).to.equal(null);
  });

  it('takes in a treatment that it has not seen before', () => {
    const near = '\n\tchain port-near-3 {\n\t\tdnat ip to numgen random mod 3 map @x\n\t}\n';
    expect(changed(listing(), listing(near))).to.equal(null);
  });

  it('finds a rule that was added, taken away or changed', () => {
    expect(changed(listing(), listing().replace('vmap @services', 'vmap @services\n\t\tdrop'))).to.equal(
      'dispatch',
    );
    expect(
      changed(listing(), listing().replace('\t\tip daddr . meta l4proto . th dport vmap @services\n', '')),
    ).to.equal('dispatch');
    expect(changed(listing(), listing().replace('mod 2 map', 'mod 1 map'))).to.equal('pick');
    expect(changed(listing(), listing().replace('goto pick-2', 'goto pick-1'))).to.equal('external-pick');
  });

  it('finds one of two chains of a treatment that was changed', () => {
    const other = '\n\tchain pick-7 {\n\t\tdrop\n\t}\n';
    expect(changed(listing(), listing(other))).to.equal('pick-7');
  });
});
