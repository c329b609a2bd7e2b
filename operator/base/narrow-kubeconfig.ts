import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';

/**
 * Narrows $KUBECONFIG to what counts, for code that reads it and throws when a file is missing: the file that is given, or
 * the first that exists (as loadConnectionConfig). Answers what puts it back. Throws when the given file can't be read.
 */
export function narrowKubeconfig(given: string | undefined): () => void {
  const before = process.env.KUBECONFIG;
  if (given !== undefined) new KubeConfig().loadFromFile(given);
  set(given ?? before?.split(delimiter).find((path) => path !== '' && existsSync(path)));
  return () => set(before);
}

function set(value: string | undefined): void {
  if (value === undefined) delete process.env.KUBECONFIG;
  else process.env.KUBECONFIG = value;
}
