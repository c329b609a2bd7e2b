import { readFileSync } from 'node:fs';

let version: string | undefined;

/** The version of this program, as in package.json. */
export function ownVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const own = typeof content === 'object' && content !== null && 'version' in content ? content.version : '';
  return typeof own === 'string' ? own : '';
}
