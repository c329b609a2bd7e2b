import { expect } from 'chai';
import { AddressSlots, slotAddress } from '../../lab/kubelet/address-slots.ts';
import { labNode } from '../../lab/network/addresses.ts';

describe('Pod addresses in the lab', () => {
  it('are of the pod CIDRs of the node, IPv4 and IPv6 alike', () => {
    expect(slotAddress(labNode(3), 42)).to.deep.equal({
      v4: '10.244.3.42',
      v6: 'fd00:244:0:3::42',
      mac: '02:00:0a:f4:03:2a',
    });
  });

  it('come back only after all others were given out', () => {
    const slots = new AddressSlots();
    const first = slots.take();
    slots.giveBack(first);
    const others = Array.from({ length: 252 }, () => slots.take());
    expect(others).not.to.include(first);
    expect(slots.take()).to.equal(first);
    expect(() => slots.take()).to.throw('no free pod address');
  });

  it('are not given out while a pod of an earlier life has them', () => {
    const slots = new AddressSlots();
    slots.take(2);
    expect(slots.take()).to.equal(3);
  });
});
