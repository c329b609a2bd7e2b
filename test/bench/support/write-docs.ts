/** Puts the tables of bench/results into docs/performance.md, so that no figure there is of anything else. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const RESULTS = new URL('../../../bench/results/', import.meta.url);
const PAGE = new URL('../../../docs/performance.md', import.meta.url);
const NAMES = [
  'control-path',
  'control-path-large',
  'affinity',
  'data-path',
  'restart',
  'audit',
  'service-latency',
  'first-answer',
  'aws-burst',
  'edge-faulty',
  'bigip-faulty',
];
const PLACE = /(<!-- figures: .* -->\n)[\s\S]*(<!-- end of figures -->)/;

const tables = NAMES.flatMap((name) => {
  const file = new URL(`${name}.md`, RESULTS);
  // Their headings are below those of the page.
  return existsSync(file) ? [readFileSync(file, 'utf8').replace(/^#+ /gm, '##$&')] : [];
});
const page = readFileSync(PAGE, 'utf8');
writeFileSync(
  PAGE,
  page.replace(PLACE, (_, begin: string, end: string) => `${begin}\n${tables.join('\n')}\n${end}`),
);
