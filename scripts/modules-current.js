// Exits with 0 when node_modules holds what package-lock.json says. Plain JavaScript: any Node from 20 runs it, before
// anything is installed. npm notes what it installed in node_modules/.package-lock.json, once it has finished.
import { existsSync, readFileSync } from 'node:fs';

const packagesOf = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).packages;

function isCurrent() {
  if (!existsSync(new URL('../node_modules/.package-lock.json', import.meta.url))) return false;
  const { '': _root, ...wanted } = packagesOf('../package-lock.json');
  const installed = packagesOf('../node_modules/.package-lock.json');
  // Packages for other platforms are optional, and aren't installed.
  const lacking = Object.entries(wanted).some(([path, { version, integrity, optional }]) => {
    const there = installed[path];
    return there ? there.version !== version || there.integrity !== integrity : !optional;
  });
  return !lacking && Object.keys(installed).every((path) => path in wanted);
}

process.exitCode = isCurrent() ? 0 : 1;
