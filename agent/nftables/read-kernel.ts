import type { Family } from '../endpoints/canonical-address.ts';
import { checkLayout } from './check-layout.ts';
import { TABLE } from './model.ts';
import { type ParsedListing, parseListing, UnknownListingError } from './parse-listing.ts';
import { type Nft, NftError } from './run-nft.ts';

/**
 * What the kernel holds of our two tables; undefined for one that isn't there. Throws UnknownListingError for a table
 * that this version can't have written, and NftError (Unavailable) when nft can't tell.
 */
export async function readKernel(nft: Nft): Promise<Record<Family, ParsedListing | undefined>> {
  // One after the other: each may be megabytes.
  return { ip: await readTable(nft, 'ip'), ip6: await readTable(nft, 'ip6') };
}

async function readTable(nft: Nft, family: Family): Promise<ParsedListing | undefined> {
  try {
    const listing = parseListing(await nft({ args: ['-j', 'list', 'table', family, TABLE] }), TABLE);
    const complaint = checkLayout(listing);
    if (complaint !== null) throw new UnknownListingError(`table ${family} ${TABLE}: ${complaint}`);
    return listing;
  } catch (error) {
    if (error instanceof NftError) {
      if (error.failure === 'Missing') return undefined;
      // Whatever a listing dies of, it says nothing of what we want to write.
      throw new NftError('Unavailable', error.message, { cause: error });
    }
    if (error instanceof SyntaxError) throw new UnknownListingError(error.message, { cause: error });
    throw error;
  }
}
