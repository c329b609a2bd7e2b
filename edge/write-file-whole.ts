import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Puts a file in the place of another: whoever reads, at whatever moment, reads one of the two whole. */
export function writeFileWhole(path: string, text: string): void {
  const next = `${path}.next`;
  const file = openSync(next, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
