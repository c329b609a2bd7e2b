import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { buildCrd } from './build-crd.ts';
import { KINDS } from './kinds.ts';
import { renderDocs } from './render-docs.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const CRD_FOLDER = join(ROOT, 'config', 'crd');
const DOCS = join(ROOT, 'docs', 'kinds.md');
const HEADER = '# Generated from crds/*.ts by `node crds/generate.ts`. Change those, not this.\n';

/** Path of every generated file -> what it has to hold. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const names: string[] = [];
  for (const kind of KINDS) {
    const name = `${kind.type.group}_${kind.type.plural}.yaml`;
    names.push(name);
    files.set(join(CRD_FOLDER, name), HEADER + toYaml(buildCrd(kind)));
  }
  files.set(
    join(CRD_FOLDER, 'kustomization.yaml'),
    HEADER +
      toYaml({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: names.sort(),
      }),
  );
  files.set(
    DOCS,
    `<!-- Generated from crds/*.ts by \`node crds/generate.ts\`. Change those, not this. -->\n\n${renderDocs(KINDS)}`,
  );
  return files;
}

function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** What differs between the tree and what would be generated, a line a file; empty when all is up to date. */
export function staleFiles(files = generatedFiles()): string[] {
  const stale = [...files].flatMap(([path, wanted]) => {
    const found = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    if (found === wanted) return [];
    return [`${relative(ROOT, path)}: ${found === undefined ? 'missing' : firstDifference(found, wanted)}`];
  });
  return [...stale, ...leftOvers(files).map((path) => `${relative(ROOT, path)}: of no kind any more`)];
}

function leftOvers(files: Map<string, string>): string[] {
  if (!existsSync(CRD_FOLDER)) return [];
  return readdirSync(CRD_FOLDER)
    .map((name) => join(CRD_FOLDER, name))
    .filter((path) => path.endsWith('.yaml') && !files.has(path));
}

function firstDifference(found: string, wanted: string): string {
  const [was, is] = [found.split('\n'), wanted.split('\n')];
  const line = is.findIndex((text, index) => text !== was[index]);
  const at = line === -1 ? is.length : line;
  return `line ${at + 1} is ${JSON.stringify(was[at] ?? '')}, ought to be ${JSON.stringify(is[at] ?? '')}`;
}

function main(args: string[]): number {
  const files = generatedFiles();
  const stale = staleFiles(files);
  if (args.includes('--check')) {
    for (const line of stale) console.error(line);
    if (stale.length > 0) console.error(`${stale.length} stale: run node crds/generate.ts`);
    return stale.length > 0 ? 1 : 0;
  }
  for (const path of leftOvers(files)) rmSync(path);
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  console.log(`${stale.length} of ${files.size} files changed`);
  return 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
