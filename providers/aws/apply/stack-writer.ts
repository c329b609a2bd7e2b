import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { CallContext } from '../calls/call-aws.ts';
import type { InputOf, OperationName, OutputOf } from '../calls/operations.ts';
import type { AwsCall } from '../changes.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { KnownLoadBalancer, KnownStack, KnownTargetGroup } from '../observe/known.ts';
import { isOurs } from '../observe/load-inventory.ts';
import { readListeners } from '../observe/read-details.ts';
import type { ObservedListener, ObservedSecurityGroup } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { ApplyInput } from './apply.ts';

/** A change of one kind. */
export type ChangeOf<C extends AwsCall['call']> = Extract<AwsCall, { call: C }>;

/** One stack while it is changed: what is known of it, calls on its behalf, and what they leave behind. */
export class StackWriter {
  readonly name: string;
  readonly inventory: Inventory;
  readonly config: AwsConfig;
  /** The name of the LoadBalancerProvider. */
  readonly provider: string;
  readonly context: CallContext;
  /** The load balancer that may be taken over, though it isn't ours. */
  readonly adoptArn: string | undefined;

  constructor(name: string, { inventory, subject, config, signal }: ApplyInput) {
    this.name = name;
    this.inventory = inventory;
    this.config = config;
    this.provider = subject.provider.name;
    this.adoptArn = subject.spec?.aws?.adopt?.arn;
    this.context = { turn: subject.id.namespace, inBackground: false, signal };
  }

  get stack(): KnownStack {
    return this.inventory.stack(this.name);
  }

  call<N extends OperationName>(operation: N, input: InputOf<N>): Promise<OutputOf<N>> {
    return this.inventory.calls.call(operation, input, this.context);
  }

  wrote(change: (stack: KnownStack) => void): void {
    this.inventory.wrote(this.name, change);
  }

  findLoadBalancer(name: string): KnownLoadBalancer | undefined {
    return this.stack.loadBalancers.find((each) => each.name === name);
  }

  /** Throws when it isn't there: the plan is of a moment in which it was. */
  loadBalancer(name: string): KnownLoadBalancer {
    return this.findLoadBalancer(name) ?? throwStale(`load balancer ${name}`);
  }

  findTargetGroup(name: string): KnownTargetGroup | undefined {
    return this.stack.targetGroups.find((each) => each.name === name);
  }

  targetGroup(name: string): KnownTargetGroup {
    return this.findTargetGroup(name) ?? throwStale(`target group ${name}`);
  }

  securityGroup(): ObservedSecurityGroup {
    return this.stack.securityGroup ?? throwStale('security group');
  }

  findListener(loadBalancer: string, port: number, protocol: string): ObservedListener | undefined {
    const { listeners } = this.loadBalancer(loadBalancer);
    return listeners.find((each) => each.port === port && each.protocol === protocol);
  }

  /** With its ARN, which may have to be read. */
  async listener(
    loadBalancer: string,
    port: number,
    protocol: string,
  ): Promise<ObservedListener & { arn: string }> {
    const known = this.findListener(loadBalancer, port, protocol);
    if (known !== undefined && hasArn(known)) return known;
    await this.readListeners(loadBalancer);
    const read = this.findListener(loadBalancer, port, protocol);
    return read !== undefined && hasArn(read) ? read : throwStale(`listener ${protocol} ${port}`);
  }

  async readListeners(name: string): Promise<void> {
    const { arn } = this.loadBalancer(name);
    const read = await readListeners(this.inventory.calls, [this.loadBalancer(name)], this.context);
    this.wrote(() => {
      const loadBalancer = this.loadBalancer(name);
      loadBalancer.listeners = read.get(arn) ?? [];
      loadBalancer.listenersOf = 'all';
    });
  }

  /** Throws unless these are tags of ours, for this very stack. */
  checkOurs(what: string, tags: Readonly<Record<string, string>>): void {
    if (isOurs(tags, this.inventory.clusterId) && tags[OWNER_TAGS.stack] === this.name) return;
    const owner = tags[OWNER_TAGS.stack];
    const whose =
      tags[OWNER_TAGS.cluster] === this.inventory.clusterId && owner !== undefined
        ? `belongs to ${owner}`
        : "isn't Fairlead's, or another cluster's";
    throw new ClassedError(`There is ${what} already, and it ${whose}: take it away, or use another name.`, {
      class: 'Transient',
      reason: 'NameTaken',
      retryAfterSeconds: 60,
    });
  }
}

function hasArn(listener: ObservedListener): listener is ObservedListener & { arn: string } {
  return listener.arn !== undefined;
}

function throwStale(what: string): never {
  throw new ClassedError(`The ${what} isn't known any more: another plan is made.`, {
    class: 'Conflict',
    reason: 'PlanOutdated',
  });
}
