import { expect } from 'chai';
import { renderKeepalived, type VrrpOptions } from '../../../edge/vrrp/render-keepalived.ts';

const OPTIONS: VrrpOptions = {
  name: 'edge-1',
  device: 'eth0',
  virtualRouterID: 51,
  addresses: ['192.0.2.1', '2001:db8::1'],
  failed: '/run/fairlead-edge/haproxy.failed',
};

/** The lines of a block, without their indentation. */
function block(text: string, name: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const from = lines.indexOf(`${name} {`) + 1;
  return lines.slice(from, lines.indexOf('}', from));
}

describe('edge: what keepalived is given', () => {
  it('has every address on the interface of who is the master, of either family', () => {
    const text = renderKeepalived(OPTIONS);
    expect(block(text, 'virtual_ipaddress_excluded')).to.deep.equal(['192.0.2.1/32', '2001:db8::1/128']);
    expect(text).to.include('interface eth0');
    expect(text).to.include('/run/fairlead-edge/haproxy.failed');
  });

  it('sends the same adverts whatever the addresses and whichever the edge, so that edges understand each other', () => {
    const advert = (more: Partial<VrrpOptions>) => {
      const text = renderKeepalived({ ...OPTIONS, ...more });
      return [block(text, 'virtual_ipaddress'), /advert_int .*/.exec(text), /priority .*/.exec(text)].map(
        String,
      );
    };
    expect(advert({ name: 'edge-2', addresses: ['192.0.2.9'] })).to.deep.equal(advert({}));
    expect(advert({ virtualRouterID: 52 })).to.not.deep.equal(advert({}));
  });
});
