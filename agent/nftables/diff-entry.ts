import { chainOf, rangesChain } from './describe-chains.ts';
import {
  type Element,
  ENDPOINTS_OF,
  type Entry,
  FIREWALL,
  type Frontend,
  isFrontend,
  NEAR_ENDPOINTS_OF,
  REFUSED_OF,
  REJECT_CHAIN,
} from './model.ts';

export interface EntryChange {
  deletions: Element[];
  additions: Element[];
  /** What the kernel holds afterwards: the desired entry, its endpoints in the order of their slots. */
  committed: Entry | undefined;
}

const NO_CHANGE: readonly Element[] = [];

/**
 * The fewest elements that turn what the kernel holds under one id into what it should hold. Endpoints that stay keep
 * their slots, and holes are filled from the end, so that one endpoint more or less costs a handful of elements however
 * many there are. A value is changed by deletion and addition in one transaction: nftables has no other way.
 */
export function diffEntry(committed: Entry | undefined, desired: Entry | undefined): EntryChange {
  const target = desired === undefined ? undefined : keepSlots(committed, desired);
  if (committed === undefined) {
    return {
      deletions: [],
      additions: target === undefined ? [] : elementsOf(target),
      committed: target,
    };
  }
  const after = new Map(
    target === undefined ? [] : elementsOf(target).map((element) => [placeOf(element), element]),
  );
  const deletions: Element[] = [];
  for (const element of elementsOf(committed)) {
    const place = placeOf(element);
    const next = after.get(place);
    if (next !== undefined && next.value === element.value) after.delete(place);
    else deletions.push(element);
  }
  return { deletions, additions: after.size === 0 ? [...NO_CHANGE] : [...after.values()], committed: target };
}

/** The elements by which the kernel holds an entry. */
export function elementsOf(entry: Entry): Element[] {
  const { family, place, key } = entry;
  if (!isFrontend(entry)) return [{ family, map: place, key }];
  const { endpoints, near = [], sticky, ranges } = entry;
  const elements: Element[] = [];
  if (endpoints.length > 0) {
    elements.push({ family, map: place, key, value: `goto ${chainOf(entry)}` });
  }
  const refusal = refusalOf(entry);
  if (refusal !== null) elements.push({ family, map: REFUSED_OF[entry.place], key, value: refusal });
  if (ranges !== undefined) {
    elements.push({ family, map: FIREWALL, key, value: `goto ${rangesChain(ranges)}` });
  }
  if (sticky !== undefined) return elements;
  const addSlots = (map: string, targets: readonly string[]) => {
    for (const [slot, value] of targets.entries()) {
      elements.push({ family, map, key: `${key} . ${slot}`, value });
    }
  };
  addSlots(ENDPOINTS_OF[entry.place], endpoints);
  addSlots(NEAR_ENDPOINTS_OF[entry.place], near);
  return elements;
}

/** How many those are. */
export function countElements(entry: Entry): number {
  if (!isFrontend(entry)) return 1;
  const { endpoints, near = [], sticky, ranges } = entry;
  const slots = sticky === undefined ? endpoints.length + near.length : 0;
  const verdicts = [endpoints.length > 0, refusalOf(entry) !== null, ranges !== undefined];
  return slots + verdicts.filter((each) => each).length;
}

/** What becomes of connections that no endpoint takes; null: there are none. */
export function refusalOf({ endpoints, near = [], treatment, whenEmpty }: Frontend): string | null {
  if (endpoints.length === 0) return whenEmpty ?? `goto ${REJECT_CHAIN}`;
  return treatment === 'local' && near.length === 0 ? 'drop' : null;
}

function placeOf(element: Element): string {
  return `${element.map} ${element.key}`;
}

function keepSlots(committed: Entry | undefined, desired: Entry): Entry {
  if (committed === undefined || !isFrontend(committed) || !isFrontend(desired)) return desired;
  if (desired.sticky !== undefined) return desired;
  return {
    ...desired,
    endpoints: placeInSlots(committed.endpoints, desired.endpoints),
    ...(desired.near === undefined ? {} : { near: placeInSlots(committed.near ?? [], desired.near) }),
  } satisfies Frontend;
}

function placeInSlots(before: readonly string[], after: readonly string[]): string[] {
  const wanted = new Set(after);
  const slots: (string | undefined)[] = before
    .slice(0, after.length)
    .map((endpoint) => (wanted.delete(endpoint) ? endpoint : undefined));
  const fresh = wanted.values();
  const placed: string[] = [];
  for (let slot = 0; slot < after.length; slot++) {
    const endpoint = slots[slot] ?? fresh.next().value;
    if (endpoint !== undefined) placed.push(endpoint);
  }
  return placed;
}
