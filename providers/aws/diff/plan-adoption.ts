import type { Finding } from '../../provider.ts';
import { digestOf } from '../build/name-resources.ts';
import type { AwsModel } from '../model.ts';
import type { ObservedLoadBalancer } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';

/**
 * Nothing of somebody else's is changed before what would be is shown, and confirmed by its digest: of the load balancer's own
 * settings, of security groups and what nodes would let in, and of the ports that it would listen on. Nodes that come and go
 * meanwhile make no other digest.
 */
export function askToConfirm(
  { adopt, listeners }: AwsModel,
  { listeners: others, name }: ObservedLoadBalancer,
  changes: readonly string[],
): Finding | undefined {
  if (adopt === undefined) return undefined;
  const ports = listeners.map(({ port, protocol }) => `${protocol} ${port}`);
  const told = [`Tag load balancer ${name} as Fairlead's`, ...changes, `Listen on ${ports.join(', ')}`];
  const token = digestOf(told).slice(0, 12);
  if (adopt.confirmed === token) return undefined;
  const stays = others.map(({ port, protocol }) => `${protocol} ${port}`).join(', ');
  const rest = stays === '' ? '' : ` Its other listeners (${stays}) stay as they are.`;
  const message = `Adopting ${adopt.arn} would do this: ${told.join('. ')}.${rest} To have it done, annotate the Service with fairlead.dev/adopt-confirmed: "${token}".`;
  return { reason: 'AdoptionNotConfirmed', message };
}

/** What is some Service's already, here or in another cluster, would be taken from it by the tags that make it ours. */
export function refuseOwned(
  { adopt, loadBalancer, stack }: AwsModel,
  { tags }: Pick<ObservedLoadBalancer, 'tags'>,
): Finding | undefined {
  const cluster = loadBalancer.tags[OWNER_TAGS.cluster];
  return adopt === undefined || cluster === undefined
    ? undefined
    : findOwner(adopt.arn, { cluster, stack }, tags);
}

/** Who has a load balancer by these tags, if that is anybody but `own`. */
export function findOwner(
  arn: string,
  own: { cluster: string; stack: string },
  tags: Readonly<Record<string, string>>,
): Finding | undefined {
  const { [OWNER_TAGS.cluster]: cluster = own.cluster, [OWNER_TAGS.stack]: owner = own.stack } = tags;
  if (cluster === own.cluster && owner === own.stack) return undefined;
  const whose = cluster === own.cluster ? `${owner} has it` : `${owner} of cluster ${cluster} has it`;
  const message = `Load balancer ${arn} is Fairlead's already: ${whose}, by its tags. Adopt another one; or, when nobody needs it there any more, take its tags ${OWNER_TAGS.cluster} and ${OWNER_TAGS.stack} away.`;
  return { reason: 'AdoptableOwned', message };
}
