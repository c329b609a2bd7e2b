import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife } from './support/aws-life.ts';

describe('operator and AWS: what somebody edits of a Service, while another that shares with it is in the way', function () {
  this.timeout(240_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start({
      provider: { deletion: 'Retain', drift: { policy: 'Report', intervalSeconds: 300 } },
      driftIntervalMs: 300,
    });
    await make('one', 80);
    await make('two', 443);
    for (const name of ['one', 'two']) await life.untilReady(name);
  });
  afterEach(() => life.end());

  const ports = (...numbers: number[]) => numbers.map((port) => ({ name: `p${port}`, port }));
  const make = async (name: string, ...numbers: number[]) => {
    const annotations = { 'fairlead.dev/shared-address': 'front' };
    await life.fixture.service(name, { annotations, spec: { ports: ports(...numbers) } });
  };
  const targetGroupAt = async (port: number) => {
    const [loadBalancer = {}] = await life.aws.loadBalancers();
    const listeners = await life.aws.listeners(loadBalancer);
    const listener = listeners.find(({ Port }) => text(Port) === String(port));
    return text(objects(listener?.DefaultActions)[0]?.TargetGroupArn);
  };
  const pathAt = async (port: number) => {
    const TargetGroupArns = [await targetGroupAt(port)];
    const answer = await life.aws.peer.elb('DescribeTargetGroups', { TargetGroupArns });
    return text(objects(answer.TargetGroups)[0]?.HealthCheckPath);
  };
  const edit = async (port: number) => {
    const TargetGroupArn = await targetGroupAt(port);
    await life.aws.peer.elb('ModifyTargetGroup', { TargetGroupArn, HealthCheckPath: '/edited' });
  };
  /** As far as the other one lets it be: that is in the digest. */
  const untilCarriedOut = (service: string) =>
    life.fixture.untilLoadBalancer(
      service,
      ({ status }) => status?.applied?.split('-').length === 3,
      'to be carried out beside what is in its way',
    );
  const untilTold = (service: string) =>
    life.fixture.untilLoadBalancer(
      service,
      ({ status }) => {
        const { message, reason } = findCondition(status?.conditions, 'Drifted') ?? {};
        return (
          reason === 'ChangedOutside' &&
          message?.includes('healthCheck.path: expected /healthz, found /edited') === true
        );
      },
      'the edit to be told',
    );
  const untilLookedAt = async (rounds: number) => {
    life.aws.peer.calls.reset();
    await waitFor(
      async () => life.aws.peer.calls.count({ operation: 'DescribeTargetGroups' }),
      (count) => count >= rounds,
      'rounds of the drift watch',
      60_000,
    );
  };

  const inTheWay = {
    'is refused': async () => {
      await life.fixture.patch(SERVICES, 'two', { spec: { ports: ports(443, 80) } });
      await life.fixture.untilReason('two', 'PortTaken');
    },
    'went, and left its part behind': () => life.delete('two'),
  };
  for (const [what, comeInTheWay] of Object.entries(inTheWay)) {
    it(`is told, and left as it is, when that one ${what}; also after a restart, and put back with Repair`, async () => {
      await comeInTheWay();
      await untilCarriedOut('one');
      await edit(80);
      await untilTold('one');
      await untilLookedAt(2);
      expect(await pathAt(80)).to.equal('/edited');

      await life.stopOperator();
      await life.startOperator();
      await untilLookedAt(2);
      expect(await pathAt(80)).to.equal('/edited');
      await untilTold('one');
      expect(await life.ports()).to.deep.equal([80, 443]);

      const name = `p-${life.fixture.id}`;
      await life.fixture.patch(LOAD_BALANCER_PROVIDERS, name, { spec: { drift: { policy: 'Repair' } } });
      await waitFor(
        () => pathAt(80),
        (path) => path === '/healthz',
        'it to be put back',
      );
    });
  }
});
