import { type AwsAccess, createAwsAccess } from '../../../../providers/aws/calls/aws-access.ts';
import type { AwsCallReport } from '../../../../providers/aws/calls/call-aws.ts';
import {
  type BucketFigures,
  type BucketName,
  CALL_LIMITS,
} from '../../../../providers/aws/calls/call-limits.ts';
import type { AwsChange } from '../../../../providers/aws/changes.ts';
import type { ProviderScope, Subject } from '../../../../providers/provider.ts';
import type { AwsPeer } from '../../../peers/aws/aws-peer.ts';
import { objects, text } from '../../../peers/aws/plain.ts';
import { type SeededNetwork, seedNetwork } from '../../../peers/aws/seed-network.ts';
import { startAws } from '../../../peers/aws/start-aws.ts';
import { providerOf, readSecret } from './fixture.ts';

export const never = new AbortController().signal;

/** AWS' usual limits, so many times. */
export function limits(factor: number): Record<BucketName, BucketFigures> {
  const of = (name: BucketName) => {
    const { burst, perSecond } = CALL_LIMITS[name];
    return { burst: burst * factor, perSecond: perSecond * factor };
  };
  return {
    elbRead: of('elbRead'),
    elbRegister: of('elbRegister'),
    elbWrite: of('elbWrite'),
    ec2Read: of('ec2Read'),
    ec2Write: of('ec2Write'),
  };
}

/** An account of the stand-in with a network, and Fairlead's way to it. */
export class Account {
  readonly peer: AwsPeer;
  readonly network: SeededNetwork;
  readonly provider: ProviderScope;
  readonly reports: AwsCallReport[] = [];
  #access: AwsAccess;

  constructor(peer: AwsPeer, network: SeededNetwork) {
    this.peer = peer;
    this.network = network;
    this.provider = providerOf(peer, network);
    this.#access = this.#connect();
  }

  static async start(): Promise<Account> {
    const peer = await startAws({ reuse: true });
    return new Account(peer, await seedNetwork(peer));
  }

  get access(): AwsAccess {
    return this.#access;
  }

  /** As a process that was just started: it remembers nothing. */
  forget(factor = 100): void {
    this.#access = this.#connect(factor);
  }

  async apply(changes: readonly AwsChange[], subject: Subject): Promise<void> {
    for (const each of changes) await this.#access.apply(each, subject, never);
  }

  observe(subject: Subject) {
    return this.#access.observe(subject, undefined, never);
  }

  /** What AWS really has, by name. */
  async loadBalancers(): Promise<string[]> {
    const answer = await this.peer.elb('DescribeLoadBalancers');
    return objects(answer.LoadBalancers).map((each) => text(each.LoadBalancerName));
  }

  async targetGroups(): Promise<string[]> {
    const answer = await this.peer.elb('DescribeTargetGroups');
    return objects(answer.TargetGroups).map((each) => text(each.TargetGroupName));
  }

  /** But for those of the seeded network and VPC. */
  async securityGroups(): Promise<string[]> {
    const answer = await this.peer.ec2('DescribeSecurityGroups', {
      Filter: [{ Name: 'vpc-id', Value: [this.network.vpcId] }],
    });
    const names = objects(answer.securityGroupInfo).map((each) => text(each.groupName));
    return names.filter((name) => name !== 'default' && name !== `${this.network.cluster}-nodes`);
  }

  #connect(factor = 100): AwsAccess {
    return createAwsAccess({
      readSecret,
      limits: limits(factor),
      observeCall: (report) => this.reports.push(report),
    });
  }
}

/** What the work fails with; undefined: it doesn't. */
export function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
