import type { Family } from '../endpoints/canonical-address.ts';
import { TABLE } from './model.ts';
import type { Nft } from './run-nft.ts';

/** Called with the key of each element as nft writes it, and its value; in a set the value is ''. */
export type ElementVisitor = (key: string, value: string) => void;

/** How a reading ends early, and who hears of it when the kernel isn't asked any more. */
export interface Reading {
  signal: AbortSignal;
  /** nft has all of it, though not all is printed: it starts over whenever a transaction comes before this. */
  hasRead: () => void;
}

export interface ElementPlace {
  family: Family;
  kind: 'map' | 'set';
  name: string;
}

/**
 * Visits all elements of one map or set while nft prints them: nothing of the listing is kept, and no part of it holds up
 * anything else for long. Text and not JSON, which can only be read as a whole, and takes nft half as much memory again.
 */
export async function readElements(
  nft: Nft,
  { family, kind, name }: ElementPlace,
  visit: ElementVisitor,
  { signal, hasRead }: Reading,
): Promise<void> {
  const reader = new ElementReader(visit);
  const args = ['-p', 'list', kind, family, TABLE, name];
  const onText = (text: string) => {
    hasRead();
    reader.push(text);
  };
  await nft({ args, signal, onText });
}

/** By name nft tells protocols only where there is /etc/protocols, which small images leave out: asked for by number. */
const PROTOCOLS: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
/** The first part that is nothing but a number is the protocol, in every key that has one. */
const PROTOCOL = /(^| \. )(6|17|132) \. /;

function nameProtocol(key: string): string {
  return key.replace(PROTOCOL, (_, before: string, number: string) => `${before}${PROTOCOLS[number]} . `);
}

const BEGINNING = 'elements = { ';

/** Takes a listing in pieces, cut anywhere. */
export class ElementReader {
  readonly #visit: ElementVisitor;
  #rest = '';
  #inside = false;

  constructor(visit: ElementVisitor) {
    this.#visit = visit;
  }

  push(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line.trim());
  }

  #readLine(line: string): void {
    let elements = line;
    if (!this.#inside) {
      if (!line.startsWith(BEGINNING)) return;
      this.#inside = true;
      elements = line.slice(BEGINNING.length);
    }
    if (elements.endsWith(' }')) {
      this.#inside = false;
      elements = elements.slice(0, -2);
    }
    for (const element of elements.split(',')) this.#readElement(element.trim());
  }

  #readElement(element: string): void {
    if (element === '') return;
    const end = element.indexOf(' : ');
    if (end < 0) this.#visit(element, '');
    else this.#visit(nameProtocol(element.slice(0, end)), element.slice(end + 3));
  }
}
