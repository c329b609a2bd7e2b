import { ClassedError } from '../../../kube/errors.ts';
import type { AwsCalls, CallContext } from '../calls/call-aws.ts';
import { ec2Pages } from '../calls/pages.ts';

/** Security groups that people name by their tag Name, in the place of the id; each name is asked about once. */
export class GroupNames {
  readonly #calls: AwsCalls;
  readonly #vpcId: string | undefined;
  readonly #ids = new Map<string, string>();

  constructor(calls: AwsCalls, vpcId: string | undefined) {
    this.#calls = calls;
    this.#vpcId = vpcId;
  }

  /** The id of a group, given by id or name. Throws a ClassedError when there is none of that name, or several. */
  async resolve(given: string, context: CallContext): Promise<string> {
    if (given.startsWith('sg-')) return given;
    const known = this.#ids.get(given);
    if (known !== undefined) return known;
    const Filters = [
      { Name: 'tag:Name', Values: [given] },
      ...(this.#vpcId === undefined ? [] : [{ Name: 'vpc-id', Values: [this.#vpcId] }]),
    ];
    const pages = await ec2Pages(this.#calls, 'DescribeSecurityGroups', { Filters }, context);
    const ids = pages
      .flatMap(({ SecurityGroups = [] }) => SecurityGroups)
      .flatMap(({ GroupId }) => GroupId ?? []);
    const [id] = ids;
    if (id === undefined || ids.length > 1) throw unclear(given, ids);
    this.#ids.set(given, id);
    return id;
  }

  /** What people call the group, where they do so by name. */
  nameOf(id: string): string | undefined {
    for (const [name, each] of this.#ids) if (each === id) return name;
    return undefined;
  }

  forget(): void {
    this.#ids.clear();
  }
}

function unclear(name: string, ids: readonly string[]): ClassedError {
  const message =
    ids.length === 0
      ? `No security group has the tag Name "${name}": correct it, or give an id.`
      : `Several security groups have the tag Name "${name}" (${ids.join(', ')}): give one of these ids.`;
  return new ClassedError(message, {
    class: 'Transient',
    reason: ids.length === 0 ? 'SecurityGroupNotFound' : 'AmbiguousSecurityGroup',
    retryAfterSeconds: 60,
  });
}
