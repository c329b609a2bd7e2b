/** Writes the IAM policy into docs/providers/aws.md, between the lines that mark its place. */
import { readFileSync, writeFileSync } from 'node:fs';
import { buildIamPolicy } from './iam-policy.ts';

const FILE = new URL('../../../docs/providers/aws.md', import.meta.url);
const PLACE = /(<!-- iam-policy -->\n)[\s\S]*?(<!-- \/iam-policy -->)/;

const policy = JSON.stringify(buildIamPolicy(), undefined, 2);
const docs = readFileSync(FILE, 'utf8');
if (!PLACE.test(docs)) throw new Error('docs/providers/aws.md has no place for the IAM policy');
writeFileSync(
  FILE,
  docs.replace(PLACE, (_, begin: string, end: string) => `${begin}\`\`\`json\n${policy}\n\`\`\`\n${end}`),
);
