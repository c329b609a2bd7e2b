import { expect } from 'chai';
import { renderAdvertisements } from '../../../../agent/announce/advertise.ts';
import { collectAddresses } from '../../../../agent/announce/collect-addresses.ts';
import { parseSet, renderAlive, renderHeld } from '../../../../agent/announce/guard-table.ts';
import { renderAddress } from '../../../../agent/announce/held-addresses.ts';
import { parseLease, renderLease } from '../../../../agent/announce/member-record.ts';
import { parseInterfaces } from '../../../../agent/announce/node-interfaces.ts';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';

describe('what the kernel and the others are told', () => {
  it('an address is a host route without a route, never a source over IPv6, and runs out', () => {
    expect(renderAddress('replace', '198.18.0.200', 'eth1')).to.equal(
      'address replace 198.18.0.200/32 dev eth1 valid_lft 60 preferred_lft 60 noprefixroute',
    );
    expect(renderAddress('replace', 'fd00:198::200', 'eth1')).to.equal(
      'address replace fd00:198::200/128 dev eth1 valid_lft 60 preferred_lft 0 noprefixroute nodad',
    );
    expect(renderAddress('delete', '198.18.0.200', 'eth1')).to.equal(
      'address delete 198.18.0.200/32 dev eth1',
    );
  });

  it('the guard is one element a family, whatever is held; past the deadline none', () => {
    expect(renderAlive(2399.7)).to.include('arp fairlead-announce alive { 0x0800 timeout 2399ms }');
    expect(renderAlive(2399.7)).to.include('ip6 fairlead-announce alive { 58 timeout 2399ms }');
    expect(renderAlive(-3)).to.not.include('add element');
    expect(renderAlive(0.4)).to.not.include('add element');
  });

  it('taking an address out of the guard succeeds when it is not there', () => {
    expect(renderHeld('delete', ['198.18.0.200', 'fd00:198::200'])).to.equal(
      [
        'add element arp fairlead-announce held { 198.18.0.200 }',
        'delete element arp fairlead-announce held { 198.18.0.200 }',
        'add element ip6 fairlead-announce held { fd00:198::200 }',
        'delete element ip6 fairlead-announce held { fd00:198::200 }',
        '',
      ].join('\n'),
    );
  });

  it('a set is read with and without elements', () => {
    const set = (elem?: string[]) =>
      JSON.stringify({ nftables: [{ metainfo: {} }, { set: { name: 'held', elem } }] });

    expect(parseSet(set(['198.18.0.200']))).to.deep.equal(['198.18.0.200']);
    expect(parseSet(set())).to.deep.equal([]);
  });

  it('interfaces: Ethernet that is up, with a subnet, a default route or a name that was asked for', () => {
    const link = (ifname: string, more: object = {}) => ({
      ifname,
      ifindex: 7,
      link_type: 'ether',
      address: '02:00:00:00:00:07',
      flags: ['UP', 'LOWER_UP'],
      addr_info: [],
      ...more,
    });
    const addresses = [
      link('lo', { link_type: 'loopback', addr_info: [{ local: '127.0.0.1', prefixlen: 8, scope: 'host' }] }),
      link('eth0', { addr_info: [{ local: '10.0.0.5', prefixlen: 24, scope: 'global' }] }),
      link('down0', { flags: ['UP'], addr_info: [{ local: '10.1.0.5', prefixlen: 24, scope: 'global' }] }),
      link('veth1', { addr_info: [{ local: 'fe80::1', prefixlen: 64, scope: 'link' }] }),
      link('bond0', { addr_info: [{ local: '198.18.0.200', prefixlen: 32, scope: 'global' }] }),
      link('wan0'),
    ];
    const routes = [
      { dst: 'default', dev: 'eth0', metric: 100 },
      { dst: 'default', dev: 'wan0', metric: 50 },
    ];

    const parsed = parseInterfaces(
      JSON.stringify(addresses),
      JSON.stringify(routes),
      '[]',
      new Set(['bond0']),
    );

    expect(parsed.map(({ name, subnets, defaultRoute }) => ({ name, subnets, defaultRoute }))).to.deep.equal([
      { name: 'eth0', subnets: ['10.0.0.5/24'], defaultRoute: [] },
      { name: 'bond0', subnets: [], defaultRoute: [] },
      { name: 'wan0', subnets: [], defaultRoute: ['IPv4'] },
    ]);
  });

  it('neighbours are told only of addresses whose interface is up', () => {
    const eth1 = { name: 'eth1', index: 3, mac: '02:00:00:00:00:03', subnets: [], defaultRoute: [] };
    const held = new Map([
      ['198.18.0.200', 'eth1'],
      ['198.18.0.201', 'eth9'],
    ]);

    expect(renderAdvertisements(held, [eth1])).to.equal('3 02:00:00:00:00:03 198.18.0.200\n');
  });

  it('a Lease is read as it was written; one of others, or a broken one, is not ours', () => {
    const record = {
      node: 'node-1',
      session: 'ab12',
      seq: 42,
      claims: new Set(['198.18.0.200']),
      dead: new Map([['node-2', 'cd34.7']]),
      labels: { edge: 'true' },
      interfaces: [{ name: 'eth1', subnets: ['198.18.0.11/24'], defaultRoute: ['IPv4' as const] }],
      peer: { addresses: ['10.89.0.11'], port: 9474, key: '00ff' },
    };
    const lease = renderLease(record, {
      namespace: 'fairlead-system',
      leaseSeconds: 3,
      member: true,
      renewTime: '2026-11-20T00:00:00.000000Z',
    });

    expect(parseLease(lease)).to.deep.equal(record);
    expect(parseLease({ ...lease, metadata: { ...lease.metadata, name: 'fairlead-agent-node-9' } })).to.equal(
      undefined,
    );
    expect(
      parseLease({
        ...lease,
        metadata: { ...lease.metadata, annotations: { 'fairlead.dev/announce': '{' } },
      }),
    ).to.equal(undefined);
  });
});

describe('collecting addresses', () => {
  function loadBalancer(name: string, spec: Partial<LoadBalancer['spec']>, more: object = {}): LoadBalancer {
    return {
      metadata: { name: `${name}.lab`, namespace: 'default', ...more },
      spec: {
        service: { name, uid: 'u' },
        provider: { name: 'lab', type: 'announce' },
        scheme: 'Public',
        targets: { mode: 'NodePort', drainSeconds: 30 },
        externalTrafficPolicy: 'Cluster',
        ...spec,
      },
    };
  }
  const claim = (address: string) => ({ address, family: 'IPv6' as const, pool: 'lab' });

  it('a shared address is one, local to every Service that wants it so', () => {
    const collected = collectAddresses([
      loadBalancer('web', { addresses: [claim('fd00:198:0::200')], externalTrafficPolicy: 'Local' }),
      loadBalancer('dns', { addresses: [claim('FD00:198::200')], announce: { interfaces: ['eth1'] } }),
    ]);

    expect([...collected.values()]).to.deep.equal([
      {
        address: 'fd00:198::200',
        interfaces: ['eth1'],
        nodeSelector: undefined,
        localServices: ['default/web'],
        loadBalancers: ['default/dns.lab', 'default/web.lab'],
      },
    ]);
  });

  it('leaves out what is being deleted, and what cannot be an address', () => {
    const collected = collectAddresses([
      loadBalancer(
        'gone',
        { addresses: [claim('fd00:198::1')] },
        { deletionTimestamp: '2026-11-20T00:00:00Z' },
      ),
      loadBalancer('bad', { addresses: [claim('fd00:198::zz')] }),
    ]);

    expect(collected.size).to.equal(0);
  });
});
