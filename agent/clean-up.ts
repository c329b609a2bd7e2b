import { FAMILIES } from './nftables/kernel-model.ts';
import { TABLE } from './nftables/model.ts';
import { createNft, type Nft } from './nftables/run-nft.ts';

/** Removes our tables, if they are there, in one transaction. Connections that are through go on; new ones don't. */
export async function cleanUp(nft: Nft = createNft()): Promise<void> {
  const lines = FAMILIES.flatMap((family) => [
    `add table ${family} ${TABLE}`,
    `delete table ${family} ${TABLE}`,
  ]);
  await nft({ args: ['-f', '-'], input: `${lines.join('\n')}\n` });
}
