import { expect } from 'chai';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { findCondition } from '../../kube/conditions.ts';
import { isClass } from '../../kube/errors.ts';
import { ENDPOINT_SLICES, LEASES, NAMESPACES, NODES, SERVICES } from '../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/control-plane.ts';
import { installCrds } from '../controlplane/install-crds.ts';
import type { AwsPeer } from '../peers/aws/aws-peer.ts';
import { objects, type PlainObject, text } from '../peers/aws/plain.ts';
import { type SeededNetwork, seedNetwork } from '../peers/aws/seed-network.ts';
import { startAws } from '../peers/aws/start-aws.ts';
import { OperatorProcess } from './support/operator-process.ts';

const SYSTEM = 'fairlead-system';
const NAMESPACE = 'shop';
const LOOKS = /^(Describe|Get|AssumeRole)/;
/** More than any of these changes takes; a change that takes more is a fault by itself. */
const MOST_CALLS = 30;

/** The operator is killed right after AWS has done a call, and before it hears of it: after each call of a change in turn. */
describe('the operator killed after each single call of AWS', function () {
  this.timeout(600_000);
  let cluster: ControlPlane;
  let aws: AwsPeer;
  let network: SeededNetwork;
  let operator: OperatorProcess;

  before(async () => {
    cluster = await startControlPlane();
    const client = cluster.adminClient();
    await installCrds(client);
    for (const name of [SYSTEM, NAMESPACE]) await client.create(NAMESPACES, { metadata: { name } });
    aws = await startAws();
    network = await seedNetwork(aws, { cluster: 'chaos' });
    for (const [index, { providerID }] of network.instances.entries()) {
      await client.create(NODES, { metadata: { name: `node-${index}` }, spec: { providerID } });
    }
    const apiVersion = 'fairlead.dev/v1alpha1';
    const spec = {
      targets: { mode: 'NodePort', drainSeconds: 0 },
      aws: { region: aws.region, endpoint: aws.endpoint, clusterName: 'chaos' },
    };
    await client.request('POST', `/apis/${apiVersion}/loadbalancerproviders`, {
      body: { apiVersion, kind: 'LoadBalancerProvider', metadata: { name: 'aws' }, spec },
    });
    operator = startOperator();
    await operator.ready();
  });

  after(async () => {
    await operator?.kill();
    await aws?.stop();
    await cluster?.stop();
  });

  function startOperator(): OperatorProcess {
    // Long enough for a busy machine: one that is dead is replaced at once all the same.
    const lease = [
      '--lease-duration-seconds',
      '30',
      '--renew-deadline-seconds',
      '25',
      '--retry-period-seconds',
      '1',
    ];
    const { accessKeyId, secretAccessKey } = aws.credentials;
    return OperatorProcess.start(cluster.kubeconfig, ['--namespace', SYSTEM, ...lease], {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
  }

  /** The next one needn't wait for the Lease of one that is surely dead. */
  async function replaceOperator(): Promise<void> {
    await operator.kill();
    await cluster.adminClient().delete(LEASES, SYSTEM, 'fairlead-operator');
    operator = startOperator();
    await operator.ready();
  }

  /** Does `change` with the operator killed after its call number `turn`; answers whether there was such a call. */
  async function killAfterCall(turn: number, change: () => Promise<void>, settled: () => Promise<void>) {
    let seen = 0;
    let killed: Promise<void> | undefined;
    const unhook = aws.afterCall(async ({ operation }) => {
      if (LOOKS.test(operation) || killed !== undefined || ++seen !== turn) return;
      killed = operator.kill();
      await killed;
    });
    await change();
    const done = settled().then(() => 'settled' as const);
    done.catch(() => {});
    await Promise.race([done, until('the kill', async () => killed !== undefined).catch(() => {})]);
    unhook();
    if (killed === undefined) {
      await done;
      return false;
    }
    await killed;
    await replaceOperator();
    await settled();
    return true;
  }

  async function killAfterEach(round: {
    prepare: (name: string) => Promise<void>;
    change: (name: string) => Promise<void>;
    settled: (name: string) => Promise<void>;
  }): Promise<number> {
    for (let turn = 1; turn <= MOST_CALLS; turn++) {
      const name = `web-${turn}`;
      await round.prepare(name);
      const again = await killAfterCall(
        turn,
        () => round.change(name),
        () => round.settled(name),
      );
      await remove(name);
      await isServed(undefined);
      if (!again) return turn - 1;
    }
    throw new Error(`more than ${MOST_CALLS} calls`);
  }

  const create = async (name: string, port = 80, annotations: Record<string, string> = {}) => {
    await cluster.adminClient().create(SERVICES, {
      metadata: { name, namespace: NAMESPACE, annotations },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: 'fairlead.dev/aws',
        loadBalancerSourceRanges: ['192.0.2.0/24'],
        ports: [{ name: 'http', port }],
      },
    });
  };
  const remove = async (name: string) => {
    await cluster.adminClient().delete(SERVICES, NAMESPACE, name);
    await until(`${name} to be gone`, async () => {
      try {
        await cluster.adminClient().get(SERVICES, NAMESPACE, name);
        return false;
      } catch (error) {
        if (isClass(error, 'NotFound')) return true;
        throw error;
      }
    });
  };
  const loadBalancers = async () => objects((await aws.elb('DescribeLoadBalancers')).LoadBalancers);
  const listenersOf = async ({ LoadBalancerArn }: PlainObject) =>
    objects((await aws.elb('DescribeListeners', { LoadBalancerArn: text(LoadBalancerArn) })).Listeners);

  const findLoadBalancer = async (name: string) =>
    await cluster
      .adminClient()
      .get(LOAD_BALANCERS, NAMESPACE, `${name}.aws`)
      .catch(() => ({ status: undefined, metadata: undefined }));

  /** Exactly that is there, or nothing at all. */
  const isServed = async (name: string | undefined, ports: number[] = [80]) => {
    if (name !== undefined) {
      await until(`${name} to be ready`, async () => {
        const { status, metadata } = await findLoadBalancer(name);
        const ready = findCondition(status?.conditions, 'Ready');
        return (
          ready?.status === 'True' &&
          ready.observedGeneration === metadata?.generation &&
          status?.applied !== undefined &&
          (await portsOf()).join() === ports.join()
        );
      });
    }
    const count = name === undefined ? 0 : 1;
    if (name === undefined) await until('no load balancer', async () => (await loadBalancers()).length === 0);
    const found = await loadBalancers();
    expect(found.map((each) => text(each.LoadBalancerName))).to.have.length(count);
    await until('nothing to be left over', async () => {
      const groups = objects((await aws.elb('DescribeTargetGroups')).TargetGroups);
      return groups.length === count * ports.length;
    });
    if (name === undefined) {
      await until('the security groups to be gone', async () => {
        const groups = objects((await aws.ec2('DescribeSecurityGroups')).securityGroupInfo);
        const ours = groups.filter(
          (group) => text(group.groupName) !== 'default' && text(group.groupId) !== network.securityGroupId,
        );
        return ours.length === 0;
      });
    }
  };
  const annotate = async (name: string, annotations: Record<string, string>) => {
    const patch = { metadata: { annotations } };
    await cluster.adminClient().patch(SERVICES, NAMESPACE, name, patch, { contentType: 'merge' });
  };
  /** Two on one load balancer of that scheme, and nothing beside it. */
  const areServed = async (names: readonly string[], scheme: string) => {
    for (const name of names) {
      await until(`${name} to be ready`, async () => {
        const { metadata, status } = await findLoadBalancer(name);
        const ready = findCondition(status?.conditions, 'Ready');
        const isNow = ready?.observedGeneration === metadata?.generation && status?.applied !== undefined;
        return ready?.status === 'True' && isNow;
      });
    }
    await until(`only the ${scheme} one to be left`, async () => {
      const found = await loadBalancers();
      const groups = objects((await aws.elb('DescribeTargetGroups')).TargetGroups);
      return found.length === 1 && text(found[0]?.Scheme) === scheme && groups.length === names.length;
    });
    expect(await portsOf()).to.deep.equal([80, 443]);
  };
  const portsOf = async () => {
    const [found] = await loadBalancers();
    const listeners = found === undefined ? [] : await listenersOf(found);
    return listeners.map(({ Port }) => Number(text(Port))).sort((a, b) => a - b);
  };

  it('makes one load balancer, whole, and never two', async () => {
    const calls = await killAfterEach({
      prepare: async () => {},
      change: (name) => create(name),
      settled: (name) => isServed(name),
    });
    expect(calls).to.be.greaterThan(4);
  });

  it('changes it to what is wanted', async () => {
    const calls = await killAfterEach({
      prepare: async (name) => {
        await create(name);
        await isServed(name);
      },
      change: async (name) => {
        const ports = [
          { name: 'http', port: 81 },
          { name: 'more', port: 443 },
        ];
        await cluster
          .adminClient()
          .patch(SERVICES, NAMESPACE, name, { spec: { ports } }, { contentType: 'merge' });
      },
      settled: (name) => isServed(name, [81, 443]),
    });
    expect(calls).to.be.greaterThan(4);
  });

  it('moves what two share to another scheme, nodes and pods alike, and leaves nothing of the old one', async () => {
    const names = ['nodes', 'pods'];
    const shared = { 'fairlead.dev/shared-address': 'front' };
    await create('nodes', 80, shared);
    await cluster.adminClient().create(ENDPOINT_SLICES, {
      metadata: { name: 'pods', namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': 'pods' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.0.1.11'], conditions: { ready: true } }],
    });
    const targetType = 'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type';
    await create('pods', 443, { ...shared, [targetType]: 'ip' });
    await areServed(names, 'internet-facing');
    let calls = 0;
    for (let again = true; again && calls < MOST_CALLS; ) {
      const [wish, scheme] = calls % 2 === 0 ? ['Internal', 'internal'] : ['Public', 'internet-facing'];
      again = await killAfterCall(
        calls + 1,
        async () => {
          for (const name of names) await annotate(name, { 'fairlead.dev/scheme': wish ?? '' });
        },
        () => areServed(names, scheme ?? ''),
      );
      if (again) calls++;
    }
    expect(calls).to.be.greaterThan(8).and.lessThan(MOST_CALLS);
    for (const name of names) await remove(name);
    await isServed(undefined);
  });

  it('takes over what is confirmed, and nothing twice', async () => {
    let arn = '';
    const calls = await killAfterEach({
      prepare: async (name) => {
        const made = await aws.elb('CreateLoadBalancer', {
          Name: name,
          Type: 'network',
          Scheme: 'internet-facing',
          Subnets: network.publicSubnets.map(({ id }) => id),
        });
        arn = text(objects(made.LoadBalancers)[0]?.LoadBalancerArn);
        await create(name, 80, { 'fairlead.dev/adopt': arn });
      },
      change: async (name) => {
        let token: string | undefined;
        await until('the plan to be shown', async () => {
          const { status } = await cluster.adminClient().get(SERVICES, NAMESPACE, name);
          const shown = findCondition(status?.conditions, 'fairlead.dev/LoadBalancerReady')?.message ?? '';
          token = /adopt-confirmed: "([0-9a-f]+)"/.exec(shown)?.[1];
          return token !== undefined;
        });
        await annotate(name, { 'fairlead.dev/adopt-confirmed': token ?? '' });
      },
      settled: async (name) => {
        await isServed(name);
        expect((await loadBalancers()).map((each) => text(each.LoadBalancerArn))).to.deep.equal([arn]);
      },
    });
    expect(calls).to.be.greaterThan(3);
  });

  it('takes it away with all that belongs to it', async () => {
    const calls = await killAfterEach({
      prepare: async (name) => {
        await create(name);
        await isServed(name);
      },
      change: async (name) => await cluster.adminClient().delete(SERVICES, NAMESPACE, name),
      settled: () => isServed(undefined),
    });
    expect(calls).to.be.greaterThan(2);
  });
});

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
