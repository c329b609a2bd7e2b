/** Writes docs/providers/webhook.schema.json from the contract; with --check, tells whether it is up to date. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { buildSchemas } from './build-schemas.ts';

const FILE = new URL('../../../docs/providers/webhook.schema.json', import.meta.url);

const wanted = `${JSON.stringify(buildSchemas(), null, 2)}\n`;
const found = existsSync(FILE) ? readFileSync(FILE, 'utf8') : undefined;
if (!process.argv.includes('--check')) writeFileSync(FILE, wanted);
else if (found !== wanted) {
  console.error(
    'docs/providers/webhook.schema.json is stale: run node providers/webhook/docs/write-schemas.ts',
  );
  process.exitCode = 1;
}
