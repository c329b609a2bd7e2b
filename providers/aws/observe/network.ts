import { SharedRun } from '../../shared-run.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import { ec2Pages } from '../calls/pages.ts';
import type { ObservedNetwork } from '../observed.ts';
import { readSubnet } from './read-answers.ts';

/** The subnets of a VPC, or of all of them; read once, and again when asked to. */
export class Network {
  readonly #calls: AwsCalls;
  readonly #vpcId: string | undefined;
  #known: { network: ObservedNetwork; readAt: number } | undefined;
  #context: Omit<CallContext, 'signal'> = { turn: '', inBackground: false };
  readonly #run = new SharedRun((signal) => this.#read({ ...this.#context, signal }));

  constructor(calls: AwsCalls, vpcId: string | undefined) {
    this.#calls = calls;
    this.#vpcId = vpcId;
  }

  /** As it was read at most this long ago. */
  async get(context: CallContext, maxAgeMs = Number.POSITIVE_INFINITY): Promise<ObservedNetwork> {
    const known = this.#known;
    if (known !== undefined && performance.now() - known.readAt <= maxAgeMs) return known.network;
    this.#context = context;
    return this.#run.join(context.signal);
  }

  async refresh(context: CallContext): Promise<ObservedNetwork> {
    return this.get(context, -1);
  }

  async #read(context: CallContext): Promise<ObservedNetwork> {
    const Filters = this.#vpcId === undefined ? [] : [{ Name: 'vpc-id', Values: [this.#vpcId] }];
    const pages = await ec2Pages(this.#calls, 'DescribeSubnets', { Filters }, context);
    const subnets = pages.flatMap(({ Subnets = [] }) => Subnets).map(readSubnet);
    const network = { vpcId: this.#vpcId, subnets };
    this.#known = { network, readAt: performance.now() };
    return network;
  }
}
