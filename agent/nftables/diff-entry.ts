import {
  chainOf,
  type Element,
  ENDPOINTS_OF,
  type Entry,
  type Frontend,
  isFrontend,
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
  const { endpoints, treatment } = entry;
  if (endpoints.length === 0) {
    return [{ family, map: REFUSED_OF[entry.place], key, value: `goto ${REJECT_CHAIN}` }];
  }
  const map = ENDPOINTS_OF[entry.place];
  return [
    { family, map: place, key, value: `goto ${chainOf(treatment, endpoints.length)}` },
    ...endpoints.map((value, slot) => ({ family, map, key: `${key} . ${slot}`, value })),
  ];
}

function placeOf(element: Element): string {
  return `${element.map} ${element.key}`;
}

function keepSlots(committed: Entry | undefined, desired: Entry): Entry {
  if (committed === undefined || !isFrontend(committed) || !isFrontend(desired)) return desired;
  const wanted = new Set(desired.endpoints);
  const slots: (string | undefined)[] = committed.endpoints
    .slice(0, desired.endpoints.length)
    .map((endpoint) => (wanted.delete(endpoint) ? endpoint : undefined));
  const fresh = wanted.values();
  const endpoints: string[] = [];
  for (let slot = 0; slot < desired.endpoints.length; slot++) {
    const endpoint = slots[slot] ?? fresh.next().value;
    if (endpoint !== undefined) endpoints.push(endpoint);
  }
  return { ...desired, endpoints } satisfies Frontend;
}
