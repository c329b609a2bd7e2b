import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../../kube/objects.ts';
import { LEASES, NAMESPACES, NODES, SERVICES } from '../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../controlplane/control-plane.ts';
import { installCrds } from '../../controlplane/install-crds.ts';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import type { AwsCall } from '../../peers/aws/call-log.ts';
import { THROTTLED } from '../../peers/aws/fault-rules.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { bucketOf, ELB_BUCKETS } from '../../peers/aws/token-buckets.ts';
import { OperatorProcess } from './operator-process.ts';

const SYSTEM = 'fairlead-system';
/** CreateTargetGroup, ModifyTargetGroupAttributes, CreateLoadBalancer, CreateListener: what a Service takes of ELBv2's writes. */
export const WRITES_EACH = 4;
const CREATORS = 16;
const LONGEST_MS = 800_000;

export interface AwsBurstOptions {
  /** AWS' own rates are slow: its buckets and ours are so many times as large and as fast. */
  factor: number;
  /** With groups each Service takes two writes of EC2, too. */
  manageSecurityGroup: boolean;
  /** How long AWS takes for each call, beside what moto does. @default 0 */
  latencyMs?: number;
}

export interface BurstFigures {
  tookSeconds: number;
  /** By the buckets alone. */
  idealSeconds: number;
  /** Of one Service in a namespace of its own, created while the crowd is. */
  singleMs: number;
  /** How many of the crowd were served meanwhile. */
  servedMeanwhile: number;
  /** Of ELBv2's bucket for changes, each attempt. */
  writes: number;
}

/** The operator as a process, a real API server, and an AWS with token buckets that fails now and then. */
export class AwsBurst {
  readonly cluster: ControlPlane;
  readonly aws: AwsPeer;
  readonly #options: AwsBurstOptions;
  #operator: OperatorProcess | undefined;

  private constructor(cluster: ControlPlane, aws: AwsPeer, options: AwsBurstOptions) {
    this.cluster = cluster;
    this.aws = aws;
    this.#options = options;
  }

  static async start(options: AwsBurstOptions): Promise<AwsBurst> {
    const cluster = await startControlPlane();
    const burst = new AwsBurst(cluster, await startAws(), options);
    await burst.#prepare();
    await burst.startOperator();
    burst.aws.buckets.enable(options.factor);
    const { latencyMs = 0 } = options;
    if (latencyMs > 0) burst.aws.beforeCall(() => sleep(latencyMs));
    return burst;
  }

  async #prepare(): Promise<void> {
    const { aws, cluster } = this;
    const client = cluster.adminClient();
    await installCrds(client);
    for (const name of [SYSTEM, 'big', 'small']) await client.create(NAMESPACES, { metadata: { name } });
    const network = await seedNetwork(aws, { cluster: 'burst' });
    for (const [index, { providerID }] of network.instances.entries()) {
      await client.create(NODES, { metadata: { name: `node-${index}` }, spec: { providerID } });
    }
    const apiVersion = 'fairlead.dev/v1alpha1';
    const { factor, manageSecurityGroup } = this.#options;
    const { endpoint, region } = aws;
    const spec = {
      aws: { region, endpoint, clusterName: 'burst', callRatePercent: factor * 100, manageSecurityGroup },
    };
    await client.request('POST', `/apis/${apiVersion}/loadbalancerproviders`, {
      body: { apiVersion, kind: 'LoadBalancerProvider', metadata: { name: 'aws' }, spec },
    });
  }

  /** One before it is surely dead: its Lease needn't be waited for. */
  async startOperator(): Promise<void> {
    await this.cluster.adminClient().delete(LEASES, SYSTEM, 'fairlead-operator');
    const { accessKeyId, secretAccessKey } = this.aws.credentials;
    // Long enough for a busy machine.
    const lease = ['--lease-duration-seconds', '30', '--renew-deadline-seconds', '25'];
    const args = ['--namespace', SYSTEM, ...lease, '--retry-period-seconds', '1'];
    this.#operator = OperatorProcess.start(this.cluster.kubeconfig, args, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
    await this.#operator.ready();
  }

  async killOperator(): Promise<void> {
    await this.#operator?.kill();
  }

  /** How long a Service takes that is alone; it's gone afterwards. */
  async serveAlone(): Promise<number> {
    await this.#create('small', 'alone');
    const aloneMs = await this.#untilServed('small', 'alone');
    const client = this.cluster.adminClient();
    await client.delete(SERVICES, 'small', 'alone');
    await until('it to be gone', async () => {
      const { items } = await client.list(SERVICES, { namespace: 'small' });
      return items.length === 0 && (await this.loadBalancers()).length === 0;
    });
    return aloneMs;
  }

  /** From now on a tenth of calls is throttled, one in a hundred fails. */
  fail(): void {
    const { aws } = this;
    aws.inject({ share: 0.1, fault: { error: THROTTLED } });
    aws.inject({ share: 0.005, fault: { error: { code: 'InternalFailure', status: 500 } } });
    // The worst of failures: AWS did it, and nobody hears of it.
    aws.inject({ share: 0.005, fault: { cut: 'after' } });
  }

  /** All but one in one namespace, at once. */
  async serveCrowd(count: number): Promise<BurstFigures> {
    const { aws, cluster } = this;
    aws.calls.reset();
    const startedAt = performance.now();
    let next = 0;
    const creator = async () => {
      while (next < count - 1) await this.#create('big', `web-${next++}`);
    };
    const all = Promise.all(Array.from({ length: CREATORS }, creator));
    await until('a crowd', async () => next > count / 3);
    const countServed = async () => {
      const { items } = await cluster.adminClient().list(SERVICES, { namespace: 'big' });
      return items.filter((each) => hostnameOf(each) !== '').length;
    };
    const servedBefore = await countServed();
    await this.#create('small', 'single');
    const singleMs = await this.#untilServed('small', 'single');
    const servedMeanwhile = (await countServed()) - servedBefore;
    await all;
    await until('all to be served', async () => (await countServed()) === count - 1);
    const tookSeconds = (performance.now() - startedAt) / 1_000;
    const { capacity, refill } = ELB_BUCKETS.mutate;
    const { factor } = this.#options;
    const idealSeconds = (count * WRITES_EACH - capacity * factor) / (refill * factor);
    const isWrite = ({ operation, service }: AwsCall) =>
      bucketOf(service, operation)?.size === ELB_BUCKETS.mutate;
    const writes = aws.calls.all.filter(isWrite).length;
    return { tookSeconds, idealSeconds, singleMs, servedMeanwhile, writes };
  }

  /** As many at once as they were created. */
  async deleteAll(): Promise<void> {
    const client = this.cluster.adminClient();
    for (const namespace of ['big', 'small']) {
      const { items } = await client.list(SERVICES, { namespace });
      const deleter = async () => {
        for (let each = items.pop(); each !== undefined; each = items.pop())
          await client.delete(SERVICES, namespace, each.metadata.name);
      };
      await Promise.all(Array.from({ length: CREATORS }, deleter));
    }
  }

  /** Names of what AWS has. */
  async loadBalancers(): Promise<string[]> {
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await this.aws.elb('DescribeLoadBalancers', Marker === undefined ? {} : { Marker });
      found.push(...objects(answer.LoadBalancers).map((each) => text(each.DNSName)));
      Marker = text(answer.NextMarker) || undefined;
    } while (Marker !== undefined);
    return found;
  }

  /** Names that Services show. */
  async hostnames(): Promise<string[]> {
    const { items } = await this.cluster.adminClient().list(SERVICES);
    return items.map(hostnameOf).filter((name) => name !== '');
  }

  async stop(): Promise<void> {
    await this.killOperator();
    await this.aws.stop();
    await this.cluster.stop();
  }

  async #create(namespace: string, name: string): Promise<void> {
    await this.cluster.adminClient().create(SERVICES, {
      metadata: { name, namespace },
      spec: { type: 'LoadBalancer', loadBalancerClass: 'fairlead.dev/aws', ports: [{ port: 80 }] },
    });
  }

  async #untilServed(namespace: string, name: string): Promise<number> {
    const startedAt = performance.now();
    const isServed = async () =>
      hostnameOf(await this.cluster.adminClient().get(SERVICES, namespace, name)) !== '';
    await until(`${namespace}/${name} to be served`, isServed, 20);
    return performance.now() - startedAt;
  }
}

function hostnameOf({ status }: Service): string {
  return status?.loadBalancer?.ingress?.[0]?.hostname ?? '';
}

/** Asks ten times a second, for minutes. */
export async function until(what: string, isSo: () => Promise<boolean>, pauseMs = 100): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await sleep(pauseMs);
  }
}
