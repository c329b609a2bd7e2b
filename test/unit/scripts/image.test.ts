import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';

const PROGRAMS = ['operator/main.ts', 'agent/main.ts', 'edge/main.ts', 'cli/fairlead.ts'];
/** Of values, not of types: those are gone when a file runs. */
const IMPORT =
  /^\s*(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

/** What the Dockerfile takes from here. */
function copied(): string[] {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n');
  const sources = lines
    .filter((line) => line.startsWith('COPY ') && !line.startsWith('COPY --from'))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  return [...new Set(sources)];
}

/** Every file and package that a program loads. */
function loadedBy(program: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, a, b, c] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const name = a ?? b ?? c ?? '';
      if (name.startsWith('.')) visit(normalize(join(dirname(file), name)));
      else if (!name.startsWith('node:'))
        packages.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
    }
  };
  visit(program);
  return { files, packages };
}

describe('The image', () => {
  it('is built from what .dockerignore lets through', () => {
    const passed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(passed.sort()).to.deep.equal(copied().sort());
  });

  for (const program of PROGRAMS) {
    it(`has all that ${program} loads`, () => {
      const { files, packages } = loadedBy(program);
      const folders = new Set([...files].map((file) => file.split('/')[0]));
      expect(copied()).to.include.members([...folders]);
      const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
      expect(Object.keys(dependencies)).to.include.members([...packages]);
      expect(files.size).to.be.above(10);
    });
  }
});
