import type { Family } from '../endpoints/canonical-address.ts';
import {
  type Element,
  ENDPOINTS_OF,
  type Entry,
  type FrontendMap,
  idOf,
  REFUSED_OF,
  REJECT_CHAIN,
  SETS,
  type Treatment,
} from './model.ts';

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

export interface ReadEntries {
  entries: Map<string, Entry>;
  /** Elements that belong to no whole entry: to be deleted. */
  strays: Element[];
}

const FRONTEND_MAPS: readonly FrontendMap[] = ['services', 'nodeports'];
const GOTO = /^goto (pick|external|nodeport)-(\d+)$/;

/** Puts the elements of a table together to the entries that they stand for. */
export function readEntries(family: Family, listing: Listing): ReadEntries {
  const entries = new Map<string, Entry>();
  const strays: Element[] = [];
  const put = (entry: Entry) => entries.set(idOf(entry), entry);
  for (const place of SETS) {
    for (const key of listing.get(place)?.keys() ?? []) put({ family, place, key });
  }
  for (const place of FRONTEND_MAPS) {
    const targets = new Map(listing.get(ENDPOINTS_OF[place]) ?? []);
    const verdicts = new Map(listing.get(place) ?? []);
    const refused = new Map(listing.get(REFUSED_OF[place]) ?? []);
    for (const [key, verdict] of verdicts) {
      const [, treatment, count] = GOTO.exec(verdict ?? '') ?? [];
      const endpoints = takeSlots(targets, key, Number(count ?? 0));
      if (endpoints === null || treatment === undefined || refused.has(key)) continue;
      verdicts.delete(key);
      put({ family, place, key, treatment: asTreatment(treatment), endpoints });
    }
    for (const [key, verdict] of refused) {
      if (verdict !== `goto ${REJECT_CHAIN}` || entries.has(`${family} ${place} ${key}`) || verdicts.has(key))
        continue;
      refused.delete(key);
      put({ family, place, key, treatment: place === 'nodeports' ? 'nodeport' : 'pick', endpoints: [] });
    }
    for (const [map, rest] of [
      [place, verdicts],
      [ENDPOINTS_OF[place], targets],
      [REFUSED_OF[place], refused],
    ] as const) {
      for (const key of rest.keys()) strays.push({ family, map, key });
    }
  }
  return { entries, strays };
}

/** Takes the endpoints of a frontend out of `targets`, or nothing when one is missing. */
function takeSlots(targets: Map<string, string | undefined>, key: string, count: number): string[] | null {
  const endpoints: string[] = [];
  for (let slot = 0; slot < count; slot++) {
    const endpoint = targets.get(`${key} . ${slot}`);
    if (endpoint === undefined) return null;
    endpoints.push(endpoint);
  }
  for (let slot = 0; slot < count; slot++) targets.delete(`${key} . ${slot}`);
  return endpoints;
}

function asTreatment(text: string): Treatment {
  if (text === 'pick' || text === 'external' || text === 'nodeport') return text;
  throw new UnknownListingError(`no treatment is called ${text}`);
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
