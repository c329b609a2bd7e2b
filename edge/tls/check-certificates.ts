import { writeFileSync } from 'node:fs';
import { checkConfig } from '../haproxy/check-config.ts';

/**
 * Lets HAProxy read certificates that it doesn't have yet: by their paths, what it says against them. What it takes isn't in the
 * answer. `file` is where the configuration for that is written.
 */
export async function checkCertificates(
  haproxy: string,
  file: string,
  paths: readonly string[],
): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  const head = [
    'defaults',
    '  mode tcp',
    '  timeout connect 1s',
    '  timeout client 1s',
    '  timeout server 1s',
  ];
  // Nothing is bound: the places are of no matter.
  const sections = paths.flatMap((path, index) => [
    `listen certificate-${index}`,
    `  bind ipv4@127.0.0.1:${index + 1} ssl crt ${path}`,
  ]);
  writeFileSync(file, `${[...head, ...sections].join('\n')}\n`, { mode: 0o600 });
  const refused = new Map<string, string>();
  for (const { line, message } of await checkConfig(haproxy, file)) {
    const index = line === undefined ? undefined : (line - head.length) / 2 - 1;
    const path = index === undefined ? undefined : paths[index];
    if (path === undefined) throw new Error(`HAProxy doesn't check certificates: ${message}`);
    refused.set(path, shorten(message, path));
  }
  return refused;
}

/** Without the place in a file that nobody has. */
function shorten(message: string, path: string): string {
  return (message.split(' : ').at(-1) ?? message).replace(`'${path}'`, '').replace(/\s+\.?$/, '');
}
