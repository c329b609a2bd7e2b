import type { Logger } from '../kube/log.ts';
import { HeldAddresses } from './announce/held-addresses.ts';
import { FAMILIES } from './nftables/kernel-model.ts';
import { TABLE } from './nftables/model.ts';
import { createNft, type Nft } from './nftables/run-nft.ts';

/**
 * Removes the forwarding tables, if they are there, in one transaction. No new connection is taken. Open ones go on beside
 * another proxy; without one they end, since the kernel translates packets only while some table asks for it.
 */
export async function removeTables(nft: Nft = createNft()): Promise<void> {
  const lines = FAMILIES.flatMap((family) => [
    `add table ${family} ${TABLE}`,
    `delete table ${family} ${TABLE}`,
  ]);
  await nft({ args: ['-f', '-'], input: `${lines.join('\n')}\n` });
}

/** Takes announced addresses off the interfaces, with the tables that guard them: what a killed agent left. */
export async function removeAnnouncedAddresses(log: Logger): Promise<void> {
  const held = new HeldAddresses(log);
  await held.open();
  await held.removeOthers(new Map());
  await held.close();
}
