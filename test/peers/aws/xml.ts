import type { Plain, PlainObject } from './plain.ts';

/** What elements of a list are called: `member` in Elastic Load Balancing, `item` in EC2. */
export type ListElement = 'member' | 'item';

interface Element {
  name: string;
  children: Element[];
  text: string;
}

const TOKEN = /<(\/?)([A-Za-z0-9:._-]+)[^>]*?(\/?)>|([^<]+)/g;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * The content of the outermost element of an answer. Attributes are passed over: AWS' answers have none but namespaces.
 * A list without elements can't be told from an empty text, both are ''.
 */
export function parseXml(source: string): { name: string; content: Plain } {
  const document: Element = { name: '', children: [], text: '' };
  const open = [document];
  for (const [, closing, name, selfClosing, content] of source.replace(/<\?.*?\?>/gs, '').matchAll(TOKEN)) {
    const here = open.at(-1) ?? document;
    if (content !== undefined) here.text += content;
    else if (closing === '/') open.pop();
    else {
      const element: Element = { name: name ?? '', children: [], text: '' };
      here.children.push(element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  const [root] = document.children;
  if (root === undefined) throw new Error(`no XML: ${source.slice(0, 200)}`);
  return { name: root.name, content: toPlain(root) };
}

/** The elements of an object, one after the other. */
export function renderXml(content: PlainObject, listElement: ListElement): string {
  return Object.entries(content)
    .map(([name, value]) => (value === undefined ? '' : renderElement(name, value, listElement)))
    .join('');
}

export function escapeXml(value: string): string {
  return value.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function renderElement(name: string, value: Plain, listElement: ListElement): string {
  if (typeof value === 'string') return `<${name}>${escapeXml(value)}</${name}>`;
  const inner = Array.isArray(value)
    ? value.map((entry) => renderElement(listElement, entry, listElement)).join('')
    : renderXml(value, listElement);
  return `<${name}>${inner}</${name}>`;
}

function toPlain(element: Element): Plain {
  const { children } = element;
  if (children.length === 0) return unescapeXml(element.text.trim());
  if (children.every(({ name }) => name === 'member' || name === 'item')) return children.map(toPlain);
  return Object.fromEntries(children.map((child) => [child.name, toPlain(child)]));
}

function unescapeXml(value: string): string {
  return value.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, entity: string) => {
    if (entity.startsWith('#x')) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
    return ENTITIES[entity] ?? whole;
  });
}
