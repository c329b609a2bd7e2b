import type { MendContext } from '../mend.ts';
import { object, objects, type PlainObject, text } from '../plain.ts';

/** Subnets as EC2 describes them, by id; those that don't exist are left out. */
export function findSubnets(
  ids: readonly string[],
  { view, moto }: MendContext,
): Promise<Map<string, PlainObject>> {
  return find(ids, view.network.subnets, async (unknown) => {
    const answer = await moto.ec2('DescribeSubnets', { Filter: [{ Name: 'subnet-id', Value: unknown }] });
    return objects(answer.subnetSet).map((subnet) => [text(subnet.subnetId), subnet]);
  });
}

/** Ranges of all subnets of a VPC, of both families. */
export async function rangesOfVpc(vpcId: string, { moto }: MendContext): Promise<string[]> {
  const answer = await moto.ec2('DescribeSubnets', { Filter: [{ Name: 'vpc-id', Value: [vpcId] }] });
  return objects(answer.subnetSet).flatMap((subnet) => [
    text(subnet.cidrBlock),
    ...objects(subnet.ipv6CidrBlockAssociationSet).map((each) => text(each.ipv6CidrBlock)),
  ]);
}

/** Instances as EC2 describes them, by id; those that don't exist are left out. */
export function findInstances(
  ids: readonly string[],
  { view, moto }: MendContext,
): Promise<Map<string, PlainObject>> {
  return find(
    ids,
    view.network.instances,
    async (unknown) => {
      // By a filter: an id that doesn't exist is no error then.
      const answer = await moto.ec2('DescribeInstances', {
        Filter: [{ Name: 'instance-id', Value: unknown }],
      });
      const found = objects(answer.reservationSet).flatMap((reservation) =>
        objects(reservation.instancesSet),
      );
      return found.map((instance) => [text(instance.instanceId), instance]);
    },
    isSettled,
  );
}

async function find(
  ids: readonly string[],
  known: Map<string, PlainObject>,
  ask: (unknown: string[]) => Promise<[string, PlainObject][]>,
  keep: (fact: PlainObject) => boolean = () => true,
): Promise<Map<string, PlainObject>> {
  const unknown = [...new Set(ids)].filter((id) => !known.has(id));
  const asked = new Map(unknown.length > 0 ? await ask(unknown) : []);
  for (const [id, fact] of asked) if (keep(fact)) known.set(id, fact);
  const found = new Map<string, PlainObject>();
  for (const id of ids) {
    const fact = known.get(id) ?? asked.get(id);
    if (fact !== undefined) found.set(id, fact);
  }
  return found;
}

/** Others change by themselves. */
function isSettled(instance: PlainObject): boolean {
  return text(object(instance.instanceState).name) === 'running';
}
