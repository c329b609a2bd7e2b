import type { Family } from '../endpoints/canonical-address.ts';
import { chainOf, rangesChain } from './describe-chains.ts';
import { refusalOf } from './diff-entry.ts';
import {
  ENDPOINTS_OF,
  type Entry,
  FIREWALL,
  type Frontend,
  type FrontendMap,
  isFrontend,
  NEAR_ENDPOINTS_OF,
  REFUSED_OF,
} from './model.ts';

/** What a map holds of a frontend: one value under its key, or values under its key and a slot. */
interface Part {
  place: FrontendMap;
  verdict?: (frontend: Frontend) => string | null;
  slots?: (frontend: Frontend) => readonly string[];
}

const NOTHING: readonly string[] = [];
const PARTS: ReadonlyMap<string, Part> = new Map(
  (['services', 'nodeports'] as const).flatMap((place): [string, Part][] => [
    [place, { place, verdict: (entry) => (entry.endpoints.length === 0 ? null : `goto ${chainOf(entry)}`) }],
    [ENDPOINTS_OF[place], { place, slots: (entry) => (entry.sticky ? NOTHING : entry.endpoints) }],
    [
      NEAR_ENDPOINTS_OF[place],
      { place, slots: (entry) => (entry.sticky ? NOTHING : (entry.near ?? NOTHING)) },
    ],
    [REFUSED_OF[place], { place, verdict: refusalOf }],
  ]),
).set(FIREWALL, {
  place: 'services',
  verdict: ({ ranges }) => (ranges === undefined ? null : `goto ${rangesChain(ranges)}`),
});

/** Where an element's entry is to be found, and under which slot; null: no entry makes such an element. */
function locate(family: Family, map: string, key: string): { id: string; slot: number | null } | null {
  const part = PARTS.get(map);
  if (part?.slots === undefined) return { id: `${family} ${part?.place ?? map} ${key}`, slot: null };
  const end = key.lastIndexOf(' . ');
  const slot = Number(key.slice(end + 3));
  return end < 0 || !Number.isInteger(slot)
    ? null
    : { id: `${family} ${part.place} ${key.slice(0, end)}`, slot };
}

/**
 * The value of one element of a map or set, as `elementsOf` would make it from the entries that `get` knows by id: '' in a
 * set, null when there is to be no such element. Without making any of the others.
 */
export function findElement(
  get: (id: string) => Entry | undefined,
  { family, map, key }: { family: Family; map: string; key: string },
): string | null {
  const located = locate(family, map, key);
  const entry = located === null ? undefined : get(located.id);
  if (located === null || entry === undefined) return null;
  const part = PARTS.get(map);
  if (!isFrontend(entry)) return part === undefined ? '' : null;
  if (located.slot !== null) return part?.slots?.(entry)[located.slot] ?? null;
  return part?.verdict?.(entry) ?? null;
}

/** How many elements an entry has in one map or set of its family. */
export function countIn(entry: Entry, map: string): number {
  const part = PARTS.get(map);
  if (!isFrontend(entry)) return entry.place === map ? 1 : 0;
  if (part === undefined || part.place !== entry.place) return 0;
  if (part.slots !== undefined) return part.slots(entry).length;
  return part.verdict?.(entry) == null ? 0 : 1;
}
