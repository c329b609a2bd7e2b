import { expect } from 'chai';
import { NodeGroups } from '../../../../providers/aws/apply/find-node-groups.ts';
import { type Handlers, inventoryWith } from './support/fake-account.ts';

const context = { turn: '', inBackground: false, signal: new AbortController().signal };

/** Interfaces of two nodes: one has addresses, the other prefixes. */
const INTERFACES = [
  {
    Groups: [{ GroupId: 'sg-a' }],
    PrivateIpAddresses: [{ PrivateIpAddress: '10.0.0.9' }],
    Ipv6Addresses: [{ Ipv6Address: 'fd00::9' }],
  },
  {
    Groups: [{ GroupId: 'sg-b' }],
    PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.4' }],
    Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.16/28' }],
    Ipv6Prefixes: [{ Ipv6Prefix: 'fd00:0:0:1::/80' }],
  },
];

describe('providers/aws/find-node-groups', () => {
  let asked: string[];
  const handlers: Handlers = {
    describeNetworkInterfaces: ({ Filters = [] }) => {
      const filter = Filters.find(({ Name }) => Name !== 'vpc-id');
      asked.push(filter?.Name ?? 'all');
      const has = (ip: string | undefined) => filter?.Values?.includes(ip ?? '') === true;
      // A prefix is no address: AWS finds nothing by those within it.
      const found = INTERFACES.filter(
        ({ Ipv6Addresses = [], PrivateIpAddresses }) =>
          filter === undefined ||
          PrivateIpAddresses.some((each) => has(each.PrivateIpAddress)) ||
          Ipv6Addresses.some((each) => has(each.Ipv6Address)),
      );
      return { NetworkInterfaces: found };
    },
  };
  beforeEach(() => {
    asked = [];
  });

  async function groupsOf(inventory: ReturnType<typeof inventoryWith>, ...targets: string[]) {
    const groups = new NodeGroups(inventory, { vpcId: 'vpc-1', clusterName: undefined, context });
    await groups.load(targets);
    return (await groups.of(targets)).sort();
  }

  it('finds those of pods by the addresses of interfaces, and asks once', async () => {
    const inventory = inventoryWith(handlers);
    expect(await groupsOf(inventory, '10.0.0.9', 'fd00::9')).to.deep.equal(['sg-a']);
    expect(asked).to.have.length(2);
    expect(await groupsOf(inventory, '10.0.0.9')).to.deep.equal(['sg-a']);
    expect(asked).to.have.length(2);
  });

  it('finds those of pods whose node has a whole prefix, and asks no more for others within it', async () => {
    const inventory = inventoryWith(handlers);
    expect(await groupsOf(inventory, '10.0.0.9', '10.0.1.17')).to.deep.equal(['sg-a', 'sg-b']);
    expect(asked).to.deep.equal(['addresses.private-ip-address', 'all']);
    expect(await groupsOf(inventory, '10.0.1.30')).to.deep.equal(['sg-b']);
    expect(await groupsOf(inventory, 'fd00:0:0:1::7')).to.deep.equal(['sg-b']);
    expect(asked).to.have.length(2);
  });

  it('knows none of an address that no interface has', async () => {
    const inventory = inventoryWith(handlers);
    expect(await groupsOf(inventory, '192.168.7.7')).to.deep.equal([]);
    expect(await groupsOf(inventory, '192.168.7.7', '10.0.1.18')).to.deep.equal(['sg-b']);
  });
});
