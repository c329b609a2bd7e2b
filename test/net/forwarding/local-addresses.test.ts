import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { LocalAddresses } from '../../../agent/local-addresses.ts';
import { silentLogger } from '../../../kube/log.ts';
import { eventually } from '../../support/eventually.ts';
import { ipBatch } from '../support/run.ts';

const ADDRESS = '198.18.5.1';
const LATE = '198.18.5.2';

describe('agent: the addresses of this machine', () => {
  let addresses: LocalAddresses;
  beforeEach(async () => {
    await ipBatch([
      'link add la-here type veth peer name la-there',
      `addr add ${ADDRESS}/24 dev la-here`,
      'addr add fd00:198:5::1/64 dev la-here nodad',
      'link set la-there up',
      'link set la-here up',
    ]);
    addresses = new LocalAddresses(silentLogger);
    await addresses.start();
  });
  afterEach(async () => {
    await addresses.stop();
    await ipBatch(['link del la-here']);
  });

  it('are those of all interfaces, loopback and both families among them', () => {
    expect(addresses.all).to.include.members([ADDRESS, 'fd00:198:5::1', '127.0.0.1']);
  });

  it('are told when one comes or goes', async () => {
    let changes = 0;
    addresses.onChange(() => changes++);
    await ipBatch([`addr add ${LATE}/24 dev la-here`]);
    await eventually(() => expect(addresses.all).to.include(LATE));
    await ipBatch([`addr del ${LATE}/24 dev la-here`]);
    await eventually(() => expect(addresses.all).not.to.include(LATE));
    expect(changes).to.be.at.least(2);
  });

  it('stay while their link has no carrier, for who was there before and for who starts then', async () => {
    const seen = () => Object.values(networkInterfaces()).flatMap((infos = []) => infos);
    await ipBatch(['link set la-there down']);
    await eventually(() => expect(seen().some(({ address }) => address === ADDRESS)).to.equal(false));
    // Whatever comes now, the look that finds it has looked after the carrier went.
    await ipBatch([`addr add ${LATE}/32 dev lo`]);
    try {
      await eventually(() => expect(addresses.all).to.include(LATE));
      expect(addresses.all).to.include(ADDRESS);
      const later = new LocalAddresses(silentLogger);
      await later.start();
      await later.stop();
      expect(later.all).to.include(ADDRESS);
    } finally {
      await ipBatch([`addr del ${LATE}/32 dev lo`]);
    }
  });
});
