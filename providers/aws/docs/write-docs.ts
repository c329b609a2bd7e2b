/** Writes what follows from code into docs/providers/aws.md, between the lines that mark its place. */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderAnnotations, renderFields } from './render-docs.ts';

const FILE = new URL('../../../docs/providers/aws.md', import.meta.url);

let docs = readFileSync(FILE, 'utf8');
for (const [mark, text] of Object.entries({ fields: renderFields(), annotations: renderAnnotations() })) {
  const place = new RegExp(`(<!-- ${mark} -->\\n)[\\s\\S]*?(<!-- /${mark} -->)`);
  if (!place.test(docs)) throw new Error(`docs/providers/aws.md has no place for ${mark}`);
  docs = docs.replace(place, (_, begin: string, end: string) => `${begin}${text}\n${end}`);
}
writeFileSync(FILE, docs);
