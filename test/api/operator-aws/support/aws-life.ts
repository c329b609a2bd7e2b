import { findCondition } from '../../../../kube/conditions.ts';
import type { Service } from '../../../../kube/objects.ts';
import { SERVICES } from '../../../../kube/resources.ts';
import { AwsError } from '../../../peers/aws/aws-error.ts';
import { objects, type PlainObject, text } from '../../../peers/aws/plain.ts';
import type { AwsTimes } from '../../../peers/aws/settings.ts';
import { Fixture, waitFor } from '../../operator/support/objects.ts';
import { startTestOperator, type TestOperator } from '../../operator/support/test-operator.ts';
import { sharedCluster } from '../../support/cluster.ts';
import { AwsCluster } from './aws-cluster.ts';
import { withQuickLooks } from './quick-looks.ts';

export interface AwsLifeOptions {
  /** Of the LoadBalancerProvider. */
  provider?: Record<string, unknown>;
  times?: Partial<AwsTimes>;
  driftIntervalMs?: number;
}

/** The operator, a real API server with two nodes, and an AWS of a test's own. */
export class AwsLife {
  readonly fixture: Fixture;
  readonly aws: AwsCluster;
  readonly #options: AwsLifeOptions;
  #operator: TestOperator | undefined;

  private constructor(fixture: Fixture, aws: AwsCluster, options: AwsLifeOptions) {
    this.fixture = fixture;
    this.aws = aws;
    this.#options = options;
  }

  static async start(options: AwsLifeOptions = {}): Promise<AwsLife> {
    const fixture = await Fixture.create(await sharedCluster());
    const aws = await AwsCluster.start(fixture, { times: { ...options.times } });
    await aws.makeProvider(options.provider ?? {}, fixture.namespace);
    const life = new AwsLife(fixture, aws, options);
    await life.startOperator();
    return life;
  }

  async startOperator(): Promise<void> {
    const { driftIntervalMs } = this.#options;
    this.#operator = await startTestOperator(await sharedCluster(), {
      agentsNamespace: this.fixture.namespace,
      providers: withQuickLooks,
      ...(driftIntervalMs === undefined ? {} : { driftIntervalMs }),
    });
  }

  /** Nothing of it is left in memory. */
  async stopOperator(): Promise<void> {
    await this.#operator?.stop();
    this.#operator = undefined;
  }

  get operator(): TestOperator {
    if (this.#operator === undefined) throw new Error('the operator is stopped');
    return this.#operator;
  }

  /** Takes all away while the operator still runs; a test that failed may have left it stopped. It ends whatever fails. */
  async end(): Promise<void> {
    try {
      if (this.#operator === undefined) await this.startOperator();
      await this.fixture.clean();
    } finally {
      await this.stopOperator();
      await this.aws.stop();
    }
  }

  /** As it is asked for now: an older word of another generation doesn't count. */
  async untilReady(service: string): Promise<void> {
    await this.fixture.untilLoadBalancer(
      service,
      ({ metadata, status }) => {
        const ready = findCondition(status?.conditions, 'Ready');
        return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
      },
      'ready',
    );
  }

  async delete(service: string): Promise<void> {
    const { client, namespace } = this.fixture;
    await client.delete(SERVICES, namespace, service);
    await this.fixture.untilGone(SERVICES, service);
  }

  /** Ports of the listeners of the only load balancer, in order. */
  async ports(): Promise<number[]> {
    const [loadBalancer] = await this.aws.loadBalancers();
    return loadBalancer === undefined ? [] : await this.portsOf(loadBalancer);
  }

  /** None, when it is gone by then. */
  async portsOf(loadBalancer: PlainObject): Promise<number[]> {
    const listeners = await this.aws.listeners(loadBalancer).catch((error: unknown) => {
      if (error instanceof AwsError && error.code === 'LoadBalancerNotFound') return [];
      throw error;
    });
    return listeners.map(({ Port }) => Number(text(Port))).sort((a, b) => a - b);
  }

  async untilPorts(...wanted: number[]): Promise<void> {
    await waitFor(
      () => this.ports(),
      (found) => found.join() === wanted.join(),
      `listeners on ${wanted.join()}`,
    );
  }

  /** Tags of anything of ELBv2. */
  async tagsOf(arn: string): Promise<Record<string, string>> {
    const answer = await this.aws.peer.elb('DescribeTags', { ResourceArns: [arn] });
    const [description] = objects(answer.TagDescriptions);
    return Object.fromEntries(objects(description?.Tags).map(({ Key, Value }) => [text(Key), text(Value)]));
  }

  /** Calls of the operator that change something, since the last reset. */
  changes(): string[] {
    const operations = Object.keys(this.aws.peer.calls.byOperation());
    return operations.filter((operation) => !/^(Describe|Get|Assume)/.test(operation));
  }
}

export function hostnameOf(service: Service): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.hostname;
}
