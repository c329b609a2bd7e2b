import { NODES, SECRETS } from '../../../../kube/resources.ts';
import type { AwsPeer, AwsPeerOptions } from '../../../peers/aws/aws-peer.ts';
import { objects, type PlainObject, text } from '../../../peers/aws/plain.ts';
import { addInstances, type SeededNetwork, seedNetwork } from '../../../peers/aws/seed-network.ts';
import { startAws } from '../../../peers/aws/start-aws.ts';
import type { Fixture } from '../../operator/support/objects.ts';

const ELB = 'elasticloadbalancing';
const LOOKS = /^Describe(LoadBalancers|TargetHealth)$/;

/** An AWS of one test's own, with a VPC in which nodes of the shared API server are instances. */
export class AwsCluster {
  readonly peer: AwsPeer;
  readonly network: SeededNetwork;
  readonly #fixture: Fixture;
  readonly #nodes: string[] = [];

  private constructor(peer: AwsPeer, network: SeededNetwork, fixture: Fixture) {
    this.peer = peer;
    this.network = network;
    this.#fixture = fixture;
  }

  static async start(
    fixture: Fixture,
    options: AwsPeerOptions & { instances?: number; ipv6?: boolean } = {},
  ): Promise<AwsCluster> {
    const peer = await startAws({ ...options, reuse: true });
    const { instances = 2, ipv6 = false } = options;
    const network = await seedNetwork(peer, { cluster: fixture.id, instances, ipv6 });
    const cluster = new AwsCluster(peer, network, fixture);
    for (const instance of network.instances) await cluster.#makeNode(instance.providerID);
    return cluster;
  }

  /** One more node; answers its name. */
  async addNode(): Promise<string> {
    const [instance] = await addInstances(this.peer, this.network, 1);
    return await this.#makeNode(instance?.providerID ?? '');
  }

  async removeNode(name: string): Promise<void> {
    await this.#fixture.client.delete(NODES, undefined, name);
  }

  /** A provider for these nodes alone, with credentials from a Secret. Its name is `p-<fixture>`. */
  async makeProvider(
    spec: Record<string, unknown> & { aws?: Record<string, unknown> } = {},
    namespace: string,
  ): Promise<string> {
    const { id } = this.#fixture;
    const { accessKeyId, secretAccessKey } = this.peer.credentials;
    const encode = (value: string) => Buffer.from(value).toString('base64');
    await this.#fixture.make(SECRETS, {
      metadata: { name: `aws-${id}`, namespace },
      data: {
        aws_access_key_id: encode(accessKeyId),
        aws_secret_access_key: encode(secretAccessKey),
      },
    });
    return await this.#fixture.provider({
      announce: undefined,
      targets: {
        mode: 'NodePort',
        drainSeconds: 0,
        nodeSelector: { matchLabels: { [`test-${id}`]: 'yes' } },
      },
      ...spec,
      aws: {
        region: this.peer.region,
        endpoint: this.peer.endpoint,
        clusterName: id,
        credentials: { secretName: `aws-${id}` },
        ...spec.aws,
      },
    });
  }

  /** ELBv2 calls since the last reset: those that do something or have to, and looks at what takes its time. */
  countCalls(): { work: number; looks: number; ec2: number; text: string } {
    const all = this.peer.calls.all;
    const elb = all.filter(({ service }) => service === ELB);
    const looks = elb.filter(({ operation }) => LOOKS.test(operation)).length;
    const ec2 = all.length - elb.length;
    const text = JSON.stringify(this.peer.calls.byOperation());
    return { work: elb.length - looks, looks, ec2, text };
  }

  async loadBalancers(): Promise<PlainObject[]> {
    return objects((await this.peer.elb('DescribeLoadBalancers')).LoadBalancers);
  }

  async targetGroups(): Promise<PlainObject[]> {
    return objects((await this.peer.elb('DescribeTargetGroups')).TargetGroups);
  }

  async listeners(loadBalancer: PlainObject): Promise<PlainObject[]> {
    const LoadBalancerArn = text(loadBalancer.LoadBalancerArn);
    return objects((await this.peer.elb('DescribeListeners', { LoadBalancerArn })).Listeners);
  }

  /** Security groups beside those that were there at first. */
  async securityGroups(): Promise<PlainObject[]> {
    const all = objects((await this.peer.ec2('DescribeSecurityGroups')).securityGroupInfo);
    return all.filter(
      (group) => text(group.groupName) !== 'default' && text(group.groupId) !== this.network.securityGroupId,
    );
  }

  async stop(): Promise<void> {
    for (const name of this.#nodes) await this.#fixture.client.delete(NODES, undefined, name);
    await this.peer.stop();
  }

  async #makeNode(providerID: string): Promise<string> {
    const { id, client } = this.#fixture;
    const name = `node-${id}-${this.#nodes.length + 1}`;
    await client.create(NODES, {
      metadata: { name, labels: { [`test-${id}`]: 'yes' } },
      spec: { providerID },
    });
    this.#nodes.push(name);
    return name;
  }
}
