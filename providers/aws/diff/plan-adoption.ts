import type { Finding } from '../../provider.ts';
import { digestOf } from '../build/name-resources.ts';
import type { AwsChange } from '../changes.ts';
import type { AwsModel } from '../model.ts';
import type { ObservedLoadBalancer } from '../observed.ts';

/**
 * Nothing of somebody else's is changed before what would be is shown, and confirmed by its digest: of the load balancer's own
 * settings, and of the ports that it would listen on. Nodes that come and go meanwhile make no other digest.
 */
export function askToConfirm(
  { adopt, listeners }: AwsModel,
  { listeners: others, name }: ObservedLoadBalancer,
  changes: readonly AwsChange[],
): Finding | undefined {
  if (adopt === undefined) return undefined;
  const ports = listeners.map(({ port, protocol }) => `${protocol} ${port}`);
  const told = [
    `Tag load balancer ${name} as Fairlead's`,
    ...changes.map(({ summary }) => summary),
    `Listen on ${ports.join(', ')}`,
  ];
  const token = digestOf(told).slice(0, 12);
  if (adopt.confirmed === token) return undefined;
  const stays = others.map(({ port, protocol }) => `${protocol} ${port}`).join(', ');
  const rest = stays === '' ? '' : ` Its other listeners (${stays}) stay as they are.`;
  const message = `Adopting ${adopt.arn} would do this: ${told.join('. ')}.${rest} To have it done, annotate the Service with fairlead.dev/adopt-confirmed: "${token}".`;
  return { reason: 'AdoptionNotConfirmed', message };
}
