import { expect } from 'chai';
import { chooseOwner } from '../../../../agent/announce/choose-owner.ts';
import { decideClaims, type Situation } from '../../../../agent/announce/decide-claims.ts';

const OUTSIDE = [{ name: 'eth1', subnets: ['198.18.0.11/24'], defaultRoute: [] }];
const NODES = ['node-1', 'node-2', 'node-3'].map((node) => ({ node, labels: {}, interfaces: OUTSIDE }));
const ADDRESS = { address: '198.18.0.200', localServices: [], loadBalancers: ['default/web.lab'] };
const OWNER = chooseOwner(ADDRESS, NODES, () => new Set()).owner ?? '';
const OTHER = NODES.map(({ node }) => node).find((node) => node !== OWNER) ?? '';

function situation(self: string, more: Partial<Situation> = {}): Situation {
  return {
    self,
    candidates: NODES,
    readyNodes: () => new Set(),
    held: new Set(),
    contender: () => undefined,
    ...more,
  };
}

describe('deciding what to claim', () => {
  it('the node that should own an address claims it', () => {
    const [decision] = decideClaims([ADDRESS], situation(OWNER));

    expect(decision).to.deep.equal({
      address: ADDRESS.address,
      claim: true,
      interface: 'eth1',
      owner: OWNER,
    });
  });

  it('another does not', () => {
    const [decision] = decideClaims([ADDRESS], situation(OTHER));

    expect(decision).to.deep.equal({ address: ADDRESS.address, claim: false, owner: OWNER });
  });

  it('a holder that should not own it keeps it until another claims it', () => {
    const held = new Set([ADDRESS.address]);

    const [alone] = decideClaims([ADDRESS], situation(OTHER, { held }));
    const [contended] = decideClaims([ADDRESS], situation(OTHER, { held, contender: () => OWNER }));

    expect(alone?.claim).to.equal(true);
    expect(contended?.claim).to.equal(false);
  });

  it('a holder that may not own it any more lets it go, contender or not', () => {
    const local = { ...ADDRESS, localServices: ['default/web'] };
    const held = new Set([ADDRESS.address]);

    const [decision] = decideClaims([local], situation(OTHER, { held, readyNodes: () => new Set([OWNER]) }));
    const [nobody] = decideClaims([local], situation(OTHER, { held }));

    expect(decision).to.deep.equal({ address: ADDRESS.address, claim: false, owner: OWNER });
    expect(nobody).to.deep.equal({ address: ADDRESS.address, claim: false, reason: 'NoLocalEndpoint' });
  });
});
