import { type Element, TABLE } from './model.ts';

/** Elements in one command: netlink messages are filled, and no line grows without bound. */
const ELEMENTS_A_LINE = 2000;

/** Elements to delete and to add, as lines for nft. Made line by line: all elements as objects would fill the memory. */
export class ElementLines {
  readonly #deletions = new VerbLines('delete');
  readonly #additions = new VerbLines('add');

  delete({ family, map, key }: Element): void {
    this.#deletions.take(`${family} ${TABLE} ${map}`, key);
  }

  add({ family, map, key, value }: Element): void {
    this.#additions.take(`${family} ${TABLE} ${map}`, value === undefined ? key : `${key} : ${value}`);
  }

  get count(): number {
    return this.#deletions.count + this.#additions.count;
  }

  /** Deletions first: an addition may take a deleted one's key. To be called once. */
  lines(): string[] {
    return [...this.#deletions.finish(), ...this.#additions.finish()];
  }
}

class VerbLines {
  readonly #verb: 'delete' | 'add';
  /** By map: elements of a line that isn't full yet, and lines. */
  readonly #places = new Map<string, { pending: string[]; lines: string[] }>();
  count = 0;

  constructor(verb: 'delete' | 'add') {
    this.#verb = verb;
  }

  take(place: string, text: string): void {
    const known = this.#places.get(place);
    const { pending, lines } = known ?? { pending: [], lines: [] };
    if (known === undefined) this.#places.set(place, { pending, lines });
    pending.push(text);
    this.count++;
    if (pending.length === ELEMENTS_A_LINE) lines.push(this.#line(place, pending.splice(0)));
  }

  finish(): string[] {
    return [...this.#places].flatMap(([place, { pending, lines }]) =>
      pending.length === 0 ? lines : [...lines, this.#line(place, pending)],
    );
  }

  #line(place: string, texts: readonly string[]): string {
    return `${this.#verb} element ${place} { ${texts.join(', ')} }`;
  }
}
