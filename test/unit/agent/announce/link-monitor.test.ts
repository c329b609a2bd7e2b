import { expect } from 'chai';
import { tellsNews } from '../../../../agent/announce/link-monitor.ts';

const isOurs = (address: string, device: string) =>
  device === 'eth1' && ['198.18.0.200', 'fd00:198::200'].includes(address);

const cases: [string, string, boolean][] = [
  [
    'an address that we put there',
    '3: eth1    inet 198.18.0.200/32 scope global dynamic noprefixroute eth1\\       valid_lft 60sec',
    false,
  ],
  [
    'one of IPv6',
    '3: eth1    inet6 fd00:198::200/128 scope global nodad deprecated dynamic noprefixroute \\       valid_lft 60sec',
    false,
  ],
  [
    'an address of ours that somebody took away',
    'Deleted 3: eth1    inet 198.18.0.200/32 scope global dynamic noprefixroute eth1\\       valid_lft 60sec',
    true,
  ],
  ['an address of ours on another device', '4: eth2    inet 198.18.0.200/32 scope global eth2\\', true],
  ['an address of the node', '2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\\', true],
  ['a link that goes down', '3: eth1@if9: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN \\', true],
  ['a default route', 'default via 10.1.0.7 dev d0 ', true],
  ['a default route that goes', 'Deleted default dev d0 metric 1024 pref medium', true],
  ['a default route that leads nowhere', 'blackhole default metric 50 ', true],
  [
    'a route of an address',
    'local 198.18.0.200 dev eth1 table local proto kernel scope host src 198.18.0.200 ',
    false,
  ],
  ['a route to a pod', '10.244.1.7 dev veth12 scope link ', false],
];

describe('what the monitor of links tells', () => {
  for (const [what, line, isNews] of cases) {
    it(`${what} is ${isNews ? 'news' : 'none'}`, () => {
      expect(tellsNews(line, isOurs)).to.equal(isNews);
    });
  }
});
