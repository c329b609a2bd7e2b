import { expect } from 'chai';
import { SERVICES } from '../../../kube/resources.ts';
import { text } from '../../peers/aws/plain.ts';
import { allocateAddress } from '../../peers/aws/seed-network.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife, hostnameOf } from './support/aws-life.ts';

const PREFIX = 'service.beta.kubernetes.io/aws-load-balancer-';

describe('operator and AWS: what would take another load balancer', function () {
  this.timeout(120_000);
  let life: AwsLife;
  let elasticIPs: string[];

  before(async () => {
    life = await AwsLife.start();
    elasticIPs = [];
    for (const _ of life.aws.network.publicSubnets) {
      elasticIPs.push((await allocateAddress(life.aws.peer)).allocationId);
    }
  });
  after(() => life.end());

  const cases: { title: string; annotations: Record<string, string>; reason: string; says: string }[] = [
    {
      title: 'is told when security groups are to be there or not, and elastic IPs are to stay',
      annotations: { [`${PREFIX}disable-nlb-sg`]: 'true' },
      reason: 'AddressesInUse',
      says: 'eipalloc-',
    },
    {
      title: 'is told when it is to share with others, and elastic IPs are to stay',
      annotations: { 'fairlead.dev/shared-address': 'front' },
      reason: 'AddressesInUse',
      says: 'eipalloc-',
    },
    {
      title: 'is told when it is to be internal, and elastic IPs are to stay',
      annotations: { 'fairlead.dev/scheme': 'Internal' },
      reason: 'ElasticIPsNeedPublic',
      says: 'elasticIPs are for a public load balancer',
    },
  ];
  for (const { annotations, reason, says, title } of cases) {
    it(`${title}, before anything is changed`, async () => {
      const kept = { [`${PREFIX}eip-allocations`]: elasticIPs.join(',') };
      await life.fixture.service('web', { annotations: kept });
      await life.untilReady('web');
      const before = await life.fixture.getService('web');
      expect(before.status?.loadBalancer?.ingress).to.have.length(1 + elasticIPs.length);
      const [loadBalancer] = await life.aws.loadBalancers();
      life.aws.peer.calls.reset();

      await life.fixture.patch(SERVICES, 'web', { metadata: { annotations } });
      const { message } = await life.fixture.untilReason('web', reason);
      expect(message).to.contain(says);
      expect(life.changes()).to.deep.equal([]);
      const after = await life.fixture.getService('web');
      expect(after.status?.loadBalancer?.ingress).to.deep.equal(before.status?.loadBalancer?.ingress);

      // Taken back, it's as if nothing had been.
      const undone = Object.fromEntries(Object.keys(annotations).map((key) => [key, null]));
      await life.fixture.patch(SERVICES, 'web', { metadata: { annotations: undone } });
      await life.untilReady('web');
      expect(hostnameOf(await life.fixture.getService('web'))).to.equal(text(loadBalancer?.DNSName));
      expect(life.changes()).to.deep.equal([]);
      await life.delete('web');
    });
  }

  it('is made where other elastic IPs are given', async () => {
    const name = `${PREFIX}eip-allocations`;
    await life.fixture.service('web', { annotations: { [name]: elasticIPs.join(',') } });
    await life.untilReady('web');
    const former = hostnameOf(await life.fixture.getService('web'));
    const others: string[] = [];
    for (const _ of elasticIPs) others.push((await allocateAddress(life.aws.peer)).allocationId);
    await life.fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { [name]: others.join(','), [`${PREFIX}disable-nlb-sg`]: 'true' } },
    });
    await life.fixture.until('web', (each) => hostnameOf(each) !== former, 'the new name');
    await life.untilReady('web');
    // The new one may be found to serve by the turn that made it: then the next one takes the former away.
    await waitFor(
      () => life.aws.loadBalancers(),
      (found) => found.length === 1,
      'the former to be gone',
    );
  });
});
