import type { MendContext } from '../mend.ts';
import { object, objects, text } from '../plain.ts';

export interface InstanceView {
  id: string;
  state: string;
  zone: string;
  vpcId: string;
}

/** Those that exist, by id, as moto has them now. */
export async function findInstances(
  ids: readonly string[],
  { moto }: Pick<MendContext, 'moto'>,
): Promise<Map<string, InstanceView>> {
  // Asked for by a filter: an id that doesn't exist is no error then.
  const answer = await moto.ec2('DescribeInstances', {
    Filter: [{ Name: 'instance-id', Value: [...new Set(ids)] }],
  });
  const found = objects(answer.reservationSet).flatMap((reservation) => objects(reservation.instancesSet));
  return new Map(
    found.map((instance) => [
      text(instance.instanceId),
      {
        id: text(instance.instanceId),
        state: text(object(instance.instanceState).name),
        zone: text(object(instance.placement).availabilityZone),
        vpcId: text(instance.vpcId),
      },
    ]),
  );
}
