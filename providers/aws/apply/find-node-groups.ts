import { ClassedError } from '../../../kube/errors.ts';
import type { CallContext } from '../calls/call-aws.ts';
import { chunk, ec2Pages } from '../calls/pages.ts';
import type { Inventory } from '../observe/inventory.ts';
import { fromKnownPrefixes, groupIdsOf, readInterfaces, readPrefixes } from './find-prefix-groups.ts';

/** A filter takes so many values. */
const VALUES_A_FILTER = 200;

/**
 * The security groups of targets in a VPC, one each: of several the one that is tagged `kubernetes.io/cluster/<name>`, as the
 * AWS Load Balancer Controller has it. Each target is asked about once, as long as it can be told which one that is.
 */
export class NodeGroups {
  readonly #inventory: Inventory;
  readonly #vpcId: string;
  readonly #clusterName: string | undefined;
  readonly #context: CallContext;
  #tagged: Promise<Set<string>> | undefined;

  constructor(
    inventory: Inventory,
    { clusterName, context, vpcId }: { vpcId: string; clusterName: string | undefined; context: CallContext },
  ) {
    this.#inventory = inventory;
    this.#vpcId = vpcId;
    this.#clusterName = clusterName;
    this.#context = context;
  }

  /** Asks about all of them that nobody asked about. */
  async load(targets: readonly string[]): Promise<void> {
    const unknown = [...new Set(targets)].filter((id) => !this.#inventory.groupsOfTargets.has(id));
    const instances = unknown.filter((id) => id.startsWith('i-'));
    const addresses = fromKnownPrefixes(
      this.#inventory,
      unknown.filter((id) => !id.startsWith('i-')),
    );
    const [inventory, context] = [this.#inventory, this.#context];
    await Promise.all([
      ...chunk(instances, VALUES_A_FILTER).map((some) => readInstances(inventory, some, context)),
      ...chunk(addresses, VALUES_A_FILTER).map((some) =>
        readAddresses(inventory, this.#vpcId, some, context),
      ),
    ]);
  }

  /** Of targets that were loaded. Throws a ClassedError where it can't be told which of several groups it is. */
  async of(targets: readonly string[]): Promise<string[]> {
    const sets = new Map<string, string[]>();
    for (const id of targets) {
      const groups = this.#inventory.groupsOfTargets.get(id) ?? [];
      if (groups.length > 0) sets.set(groups.join(' '), groups);
    }
    const several = [...sets.values()].some((groups) => groups.length > 1);
    const tagged = several ? await this.#readTagged() : new Set<string>();
    try {
      return [...new Set([...sets.values()].map((groups) => chooseGroup(groups, tagged, this.#clusterName)))];
    } catch (error) {
      // Until then somebody may take one of them away.
      for (const id of targets) this.#inventory.groupsOfTargets.delete(id);
      throw error;
    }
  }

  #readTagged(): Promise<Set<string>> {
    this.#tagged ??= readTagged(this.#inventory, this.#vpcId, this.#clusterName, this.#context);
    return this.#tagged;
  }
}

function chooseGroup(groups: string[], tagged: ReadonlySet<string>, clusterName: string | undefined): string {
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return only;
  const [first, ...more] = groups.filter((id) => tagged.has(id));
  if (first !== undefined && more.length === 0) return first;
  const tag = `kubernetes.io/cluster/${clusterName ?? '<name>'}`;
  const how = first === undefined ? 'none of them' : 'more than one of them';
  const message = `Nodes have several security groups (${groups.join(', ')}), and ${how} is tagged ${tag}: tag the one that gets rules, name the cluster in aws.clusterName, or set manageBackendRules to false.`;
  throw new ClassedError(message, {
    class: 'Transient',
    reason: 'NodeSecurityGroupUnclear',
    retryAfterSeconds: 60,
  });
}

async function readInstances(inventory: Inventory, ids: string[], context: CallContext): Promise<void> {
  const Filters = [{ Name: 'instance-id', Values: ids }];
  const pages = await ec2Pages(inventory.calls, 'DescribeInstances', { Filters }, context);
  for (const { Instances = [] } of pages.flatMap(({ Reservations = [] }) => Reservations)) {
    for (const { InstanceId, SecurityGroups = [] } of Instances) {
      const groups = groupIdsOf(SecurityGroups);
      if (InstanceId !== undefined) inventory.groupsOfTargets.set(InstanceId, groups);
    }
  }
}

/** Of pods, the interface that has their address, or else a prefix that it's in. */
async function readAddresses(
  inventory: Inventory,
  vpcId: string,
  ips: string[],
  context: CallContext,
): Promise<void> {
  const v4 = ips.filter((ip) => !ip.includes(':'));
  const v6 = ips.filter((ip) => ip.includes(':'));
  const byFamily: [string, string[]][] = [
    ['addresses.private-ip-address', v4],
    ['ipv6-addresses.ipv6-address', v6],
  ];
  for (const [Name, Values] of byFamily) {
    if (Values.length === 0) continue;
    const Filters = [
      { Name: 'vpc-id', Values: [vpcId] },
      { Name, Values },
    ];
    for (const each of await readInterfaces(inventory, Filters, context)) {
      const groups = groupIdsOf(each.Groups);
      const own = [
        ...(each.PrivateIpAddresses ?? []).map(({ PrivateIpAddress }) => PrivateIpAddress),
        ...(each.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address),
      ];
      for (const ip of own)
        if (ip !== undefined && Values.includes(ip)) inventory.groupsOfTargets.set(ip, groups);
    }
  }
  await readPrefixes(
    inventory,
    vpcId,
    ips.filter((ip) => !inventory.groupsOfTargets.has(ip)),
    context,
  );
}

async function readTagged(
  inventory: Inventory,
  vpcId: string,
  clusterName: string | undefined,
  context: CallContext,
): Promise<Set<string>> {
  const key = clusterName === undefined ? 'kubernetes.io/cluster/*' : `kubernetes.io/cluster/${clusterName}`;
  const Filters = [
    { Name: 'vpc-id', Values: [vpcId] },
    { Name: 'tag-key', Values: [key] },
  ];
  const pages = await ec2Pages(inventory.calls, 'DescribeSecurityGroups', { Filters }, context);
  const groups = pages.flatMap(({ SecurityGroups = [] }) => SecurityGroups);
  return new Set(groups.flatMap(({ GroupId }) => GroupId ?? []));
}
