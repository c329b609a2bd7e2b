/**
 * Writes the lists of docs/conformance.md from the table of cases.
 *
 *   node test/net/conformance/write-docs.ts [--check]     --check writes nothing, and fails when they are not up to date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases/all.ts';
import { renderLists } from './support/render-lists.ts';

const FILE = fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url));
const MARK = '<!-- From here on written by `make conformance-docs`. -->\n';

const text = readFileSync(FILE, 'utf8');
const end = text.indexOf(MARK);
if (end < 0) throw new Error(`docs/conformance.md lacks the line ${MARK}`);
const wanted = `${text.slice(0, end)}${MARK}\n${renderLists(CASES)}`;
if (process.argv.includes('--check')) {
  if (wanted !== text) {
    process.stderr.write('docs/conformance.md is not up to date: make conformance-docs\n');
    process.exitCode = 1;
  }
} else writeFileSync(FILE, wanted);
