import { type Element, TABLE } from './model.ts';

/** Elements in one command: netlink messages are filled, and no line grows without bound. */
const ELEMENTS_A_LINE = 2000;

export interface ElementChanges {
  deletions: readonly Element[];
  additions: readonly Element[];
}

/** Deletions first: an addition may take a deleted one's key. */
export function renderElements(changes: ElementChanges): string[] {
  return [...renderVerb('delete', changes.deletions), ...renderVerb('add', changes.additions)];
}

function renderVerb(verb: 'add' | 'delete', elements: readonly Element[]): string[] {
  const byMap = new Map<string, string[]>();
  for (const { family, map, key, value } of elements) {
    const place = `${family} ${TABLE} ${map}`;
    const texts = byMap.get(place) ?? [];
    byMap.set(place, texts);
    texts.push(verb === 'add' && value !== undefined ? `${key} : ${value}` : key);
  }
  const lines: string[] = [];
  for (const [place, texts] of byMap) {
    for (let start = 0; start < texts.length; start += ELEMENTS_A_LINE) {
      lines.push(`${verb} element ${place} { ${texts.slice(start, start + ELEMENTS_A_LINE).join(', ')} }`);
    }
  }
  return lines;
}
