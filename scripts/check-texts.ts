/** Fails when a committed text names a path of this machine: the tree's own folder, or somebody's home. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findMachinePaths } from './find-machine-paths.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
let found = 0;
for (const file of files.split('\0').filter((name) => name !== '' && existsSync(`${root}${name}`))) {
  const text = readFileSync(`${root}${file}`);
  if (text.includes(0)) continue;
  for (const { line, path } of findMachinePaths(text.toString(), [root, homedir()])) {
    process.stderr.write(`${file}:${line}: names ${path}\n`);
    found += 1;
  }
}
process.exitCode = found === 0 ? 0 : 1;
