import { silentLogger } from '../../kube/log.ts';
import { HeldAddresses } from './held-addresses.ts';

/** Takes every address that any life of an agent put on this node's interfaces off again, and the guard with them. */
export async function cleanUpAddresses(): Promise<void> {
  const held = new HeldAddresses(silentLogger);
  await held.open();
  await held.removeOthers(new Map());
  await held.close();
}
