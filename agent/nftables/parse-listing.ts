/** A listing that isn't of the shape that this version writes: another version's, or somebody's own work. */
export class UnknownListingError extends Error {}

/** Elements by map or set, by key; the value is undefined in a set. */
export type Listing = Map<string, Map<string, string | undefined>>;

export interface ParsedListing {
  elements: Listing;
  /** By name, what hooks it: `nat prerouting -101`; empty for a chain that others lead to. */
  chains: Map<string, string>;
}

/** Reads what `nft -j list` prints, of one table. Throws UnknownListingError. */
export function parseListing(text: string, table: string): ParsedListing {
  const elements: Listing = new Map();
  const chains = new Map<string, string>();
  for (const item of asArray(field(JSON.parse(text), 'nftables'))) {
    const holder = field(item, 'map') ?? field(item, 'set');
    if (field(holder, 'table') === table) {
      const known = new Map<string, string | undefined>();
      elements.set(asText(field(holder, 'name')), known);
      for (const element of asArray(field(holder, 'elem') ?? [])) {
        const [key, value] = field(item, 'map') === undefined ? [element] : asArray(element);
        known.set(keyText(key), value === undefined ? undefined : valueText(value));
      }
    }
    const chain = field(item, 'chain');
    if (field(chain, 'table') === table) chains.set(asText(field(chain, 'name')), hookText(chain));
  }
  return { elements, chains };
}

function hookText(chain: unknown): string {
  const parts = ['type', 'hook', 'prio'].map((name) => field(chain, name));
  return parts.includes(undefined) ? '' : parts.join(' ');
}

function keyText(key: unknown): string {
  const parts = field(key, 'concat');
  return parts === undefined ? plainText(key) : asArray(parts).map(plainText).join(' . ');
}

function valueText(value: unknown): string {
  const target = field(field(value, 'goto'), 'target');
  if (target !== undefined) return `goto ${asText(target)}`;
  if (typeof value === 'object' && value !== null && 'drop' in value) return 'drop';
  return keyText(value);
}

function plainText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new UnknownListingError(`${JSON.stringify(value)?.slice(0, 200)} is no part of a key of ours`);
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnknownListingError(`${JSON.stringify(value)?.slice(0, 200)} is no name`);
}

function asArray(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UnknownListingError(`${JSON.stringify(value)?.slice(0, 200)} is no list`);
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
