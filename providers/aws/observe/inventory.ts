import { KeyedLock } from '../../keyed-lock.ts';
import type { LoadBalancerId } from '../../provider.ts';
import { SharedRun } from '../../shared-run.ts';
import { GroupNames } from '../build/group-names.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import type { ObservedSecurityGroup } from '../observed.ts';
import { StateAsker } from './ask-states.ts';
import { AwaitedPorts } from './awaited-ports.ts';
import { emptyStack, isEmptyStack, type KnownLoadBalancer, type KnownStack } from './known.ts';
import { type Loaded, loadInventory } from './load-inventory.ts';
import { FIRST_LOOK_SECONDS } from './look.ts';
import { Network } from './network.ts';
import type { NodeRules } from './node-rules.ts';
import { ownersIn } from './owners.ts';
import { readLoadBalancerAttributes, readTargetGroupDetails, verifyListeners } from './read-details.ts';
import { SharedGroups } from './shared-groups.ts';

export interface InventoryOptions {
  calls: AwsCalls;
  clusterId: string;
  /** Where subnets are looked for; undefined: in all VPCs. */
  vpcId: string | undefined;
  /** Told an ARN of the account, once there is one. */
  onArn(arn: string): void;
  /** When what takes its time at AWS is looked at first. @default 5 */
  firstLookSeconds?: number | undefined;
}

/** For so long AWS' listings may show what was deleted. */
const GHOSTS_MS = 60_000;
/** For so long they may not show what was made. Whatever somebody deletes that soon is missed by the next sweep only. */
const UNSEEN_MS = 5_000;
/** Stacks that are read in one go by a sweep: their listeners, and the tags of these, fit into a call or two. */
const SWEPT_AT_ONCE = 20;

/**
 * What a cluster has in one account and region: read once, and kept by our own writes from then on. What is in it was tagged
 * as ours by us; anything else isn't known here, so that nothing can happen to it.
 */
export class Inventory {
  readonly calls: AwsCalls;
  readonly clusterId: string;
  readonly firstLookSeconds: number;
  readonly network: Network;
  readonly states: StateAsker;
  readonly groupNames: GroupNames;
  /** By stack: what changes it is done by one at a time. */
  readonly locks = new KeyedLock();
  /** Load balancers that somebody wants to take over, by ARN. */
  readonly adoptables = new Map<string, { readAt: number; loadBalancer: KnownLoadBalancer }>();
  /** Security groups of instances and addresses that are targets; asked once. */
  readonly groupsOfTargets = new Map<string, string[]>();
  /** By the id of the shared group that they let in; none: nobody looked yet. */
  readonly nodeRules = new Map<string, NodeRules>();
  readonly awaitedPorts = new AwaitedPorts();
  readonly #options: InventoryOptions;
  readonly #load = new SharedRun((signal) => this.#loadFirst(signal));
  readonly #sweep = new SharedRun((signal) => this.#readAnew(signal));
  readonly #onSwept = new Set<(ids: readonly LoadBalancerId[]) => void>();
  /** Stacks by the time of the last write. */
  readonly #writtenAt = new Map<string, number>();
  readonly #madeAt = new Map<string, number>();
  readonly #deletedAt = new Map<string, number>();
  #stacks: Map<string, KnownStack> | undefined;
  readonly #sharedGroups = new SharedGroups({ ghostsMs: GHOSTS_MS, unseenMs: UNSEEN_MS });
  #foreign: ReadonlySet<string> = new Set();

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.calls = options.calls;
    this.clusterId = options.clusterId;
    this.firstLookSeconds = options.firstLookSeconds ?? FIRST_LOOK_SECONDS;
    this.groupNames = new GroupNames(options.calls, options.vpcId);
    this.states = new StateAsker(options.calls);
    this.network = new Network(options.calls, options.vpcId);
  }

  /** Reads what there is, unless that was done. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#stacks === undefined) await this.#load.join(signal);
  }

  /** What is known of a stack; an empty one where there is nothing. */
  stack(name: string): KnownStack {
    return this.#stacks?.get(name) ?? emptyStack(name);
  }

  get stacks(): Iterable<KnownStack> {
    return this.#stacks?.values() ?? [];
  }

  /** What a write left behind. Call it with what AWS answered, at once after that. */
  wrote(name: string, change: (stack: KnownStack) => void): void {
    const stack = this.stack(name);
    const before = arnsOf(stack);
    change(stack);
    stack.writes++;
    const now = performance.now();
    this.#writtenAt.set(name, now);
    const after = new Set(arnsOf(stack));
    for (const arn of before) if (!after.has(arn)) this.#deletedAt.set(arn, now);
    for (const arn of after) if (!before.includes(arn)) this.#madeAt.set(arn, now);
    if (isEmptyStack(stack)) this.#stacks?.delete(name);
    else this.#stacks?.set(name, stack);
  }

  /** Of a provider and VPC: see `ensureSharedGroup`. */
  sharedGroupOf(provider: string, vpcId: string): ObservedSecurityGroup | undefined {
    return this.#sharedGroups.of(provider, vpcId);
  }

  get sharedGroups(): readonly ObservedSecurityGroup[] {
    return this.#sharedGroups.all;
  }

  isSharedGroup(id: string): boolean {
    return this.#sharedGroups.has(id);
  }

  addSharedGroup(group: ObservedSecurityGroup): void {
    this.#sharedGroups.add(group);
  }

  removeSharedGroup(id: string): void {
    this.#sharedGroups.remove(id);
    this.nodeRules.delete(id);
  }

  /** Reads everything of ours anew, when nobody else wants to call; a write in the meantime wins. `seen`: what was read. */
  async sweep(
    signal: AbortSignal,
    seen: (ids: readonly LoadBalancerId[]) => void,
  ): Promise<LoadBalancerId[]> {
    this.#onSwept.add(seen);
    try {
      return await this.#sweep.join(signal);
    } finally {
      this.#onSwept.delete(seen);
    }
  }

  async #readAnew(signal: AbortSignal): Promise<LoadBalancerId[]> {
    const context: CallContext = { turn: '', inBackground: true, signal };
    const startedAt = performance.now();
    const [loaded] = await Promise.all([this.#listAll(context), this.network.refresh(context)]);
    this.groupsOfTargets.clear();
    this.groupNames.forget();
    const swept = this.#merge(loaded, startedAt);
    for (let at = 0; at < swept.length; at += SWEPT_AT_ONCE) {
      const some = swept.slice(at, at + SWEPT_AT_ONCE);
      await this.readDetails(some, context);
      const stacks = some.map((name) => this.stack(name));
      for (const tell of this.#onSwept) tell(ownersIn(stacks, this.clusterId));
    }
    return ownersIn(this.stacks, this.clusterId);
  }

  /** Reads what listings don't tell: settings, listeners, targets. */
  async readDetails(names: readonly string[], context: CallContext): Promise<void> {
    const before = names.map((name) => this.stack(name)).map((stack) => ({ stack, writes: stack.writes }));
    const loadBalancers = before.flatMap(({ stack }) => stack.loadBalancers);
    const targetGroups = before.flatMap(({ stack }) => stack.targetGroups);
    const [listeners, attributes, groups] = await Promise.all([
      verifyListeners(this.calls, loadBalancers, context),
      readEach(loadBalancers, (each) => readLoadBalancerAttributes(this.calls, each, context)),
      readEach(targetGroups, (each) => readTargetGroupDetails(this.calls, each, context)),
    ]);
    for (const { stack, writes } of before) {
      if (this.stack(stack.name) !== stack || stack.writes !== writes) continue;
      for (const each of stack.loadBalancers) {
        each.attributes = attributes.get(each.arn) ?? {};
        each.listeners = listeners.get(each.arn) ?? [];
        each.listenersOf = 'all';
      }
      for (const each of stack.targetGroups) {
        Object.assign(each, groups.get(each.arn) ?? { attributes: {}, targets: [], waits: false });
      }
    }
  }

  async #loadFirst(signal: AbortSignal): Promise<void> {
    const context: CallContext = { turn: '', inBackground: false, signal };
    const [loaded] = await Promise.all([this.#listAll(context), this.network.get(context)]);
    this.#stacks = loaded.stacks;
    this.#sharedGroups.merge(loaded.sharedGroups, performance.now());
  }

  async #listAll(context: CallContext): Promise<Loaded> {
    const { calls, clusterId, onArn } = this.#options;
    const loaded = await loadInventory({ calls, clusterId, foreign: this.#foreign, onArn }, context);
    this.#foreign = loaded.foreign;
    return loaded;
  }

  /** Answers the stacks that are known by the listing now, for their details to be read. */
  #merge(loaded: Loaded, startedAt: number): string[] {
    const known = this.#stacks ?? new Map<string, KnownStack>();
    const merged = new Map<string, KnownStack>();
    const swept: string[] = [];
    this.#dropGhosts(loaded);
    forgetBefore(this.#madeAt, startedAt - UNSEEN_MS);
    for (const stack of known.values()) this.#keepUnseen(stack, loaded);
    for (const name of new Set([...known.keys(), ...loaded.stacks.keys()])) {
      const before = known.get(name);
      const read = loaded.stacks.get(name);
      if (this.#wasWritten(name, startedAt)) {
        if (before !== undefined) merged.set(name, before);
      } else if (read !== undefined) {
        merged.set(name, keepDetails(read, before));
        swept.push(name);
      }
    }
    forgetBefore(this.#writtenAt, startedAt);
    forgetBefore(this.#deletedAt, startedAt - GHOSTS_MS);
    this.#stacks = merged;
    this.#sharedGroups.merge(loaded.sharedGroups, startedAt);
    return swept;
  }

  /** What was deleted by us isn't there, whatever a listing says. */
  #dropGhosts({ stacks }: Loaded): void {
    for (const stack of stacks.values()) {
      stack.loadBalancers = stack.loadBalancers.filter(({ arn }) => !this.#deletedAt.has(arn));
      stack.targetGroups = stack.targetGroups.filter(({ arn }) => !this.#deletedAt.has(arn));
      if (stack.securityGroup !== undefined && this.#deletedAt.has(stack.securityGroup.id)) {
        stack.securityGroup = undefined;
      }
      if (isEmptyStack(stack)) stacks.delete(stack.name);
    }
  }

  /** What was made a moment ago is there, though a listing doesn't know it yet. */
  #keepUnseen(known: KnownStack, { stacks }: Loaded): void {
    if (!arnsOf(known).some((arn) => this.#madeAt.has(arn))) return;
    const stack = stacks.get(known.name) ?? emptyStack(known.name);
    const listed = new Set(arnsOf(stack));
    const isUnseen = (arn: string) => this.#madeAt.has(arn) && !listed.has(arn);
    stack.loadBalancers.push(...known.loadBalancers.filter(({ arn }) => isUnseen(arn)));
    stack.targetGroups.push(...known.targetGroups.filter(({ arn }) => isUnseen(arn)));
    if (known.securityGroup !== undefined && isUnseen(known.securityGroup.id)) {
      stack.securityGroup ??= known.securityGroup;
    }
    if (!isEmptyStack(stack)) stacks.set(stack.name, stack);
  }

  #wasWritten(name: string, startedAt: number): boolean {
    const at = this.#writtenAt.get(name);
    return at !== undefined && at >= startedAt;
  }
}

function arnsOf({ loadBalancers, securityGroup, targetGroups }: KnownStack): string[] {
  const things = [...loadBalancers, ...targetGroups].map(({ arn }) => arn);
  return securityGroup === undefined ? things : [...things, securityGroup.id];
}

function forgetBefore(times: Map<string, number>, before: number): void {
  for (const [key, at] of times) if (at < before) times.delete(key);
}

/** A listing doesn't tell these; they stand until they are read too. */
function keepDetails(read: KnownStack, before: KnownStack | undefined): KnownStack {
  for (const each of read.loadBalancers) {
    const known = before?.loadBalancers.find(({ arn }) => arn === each.arn);
    if (known === undefined) continue;
    const { attributes, listeners, listenersOf, look, waits } = known;
    Object.assign(each, { attributes, listeners, listenersOf, look, waits });
  }
  for (const each of read.targetGroups) {
    const known = before?.targetGroups.find(({ arn }) => arn === each.arn);
    if (known === undefined) continue;
    const { attributes, refused, targets, waits, look } = known;
    Object.assign(each, { attributes, refused, targets, waits, look });
  }
  read.backendPorts = before?.backendPorts;
  if (before !== undefined) read.joined = before.joined;
  return read;
}

async function readEach<T extends { arn: string }, R>(
  things: readonly T[],
  read: (thing: T) => Promise<R>,
): Promise<Map<string, R>> {
  return new Map(await Promise.all(things.map(async (each) => [each.arn, await read(each)] as const)));
}
