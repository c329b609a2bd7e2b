import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

export interface Kubeconfig {
  server: string;
  /** PEM. */
  ca: string;
  user: { clientCert: KeyPair } | { tokenFile: string };
  namespace?: string;
}

/** Writes a kubeconfig that only its owner can read; returns its path. */
export async function writeKubeconfig(path: string, config: Kubeconfig): Promise<string> {
  const name = 'fairlead-lab';
  const user =
    'tokenFile' in config.user
      ? { tokenFile: config.user.tokenFile }
      : {
          'client-certificate-data': base64(config.user.clientCert.cert),
          'client-key-data': base64(config.user.clientCert.key),
        };
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: config.server, 'certificate-authority-data': base64(config.ca) } }],
    users: [{ name, user }],
    contexts: [
      {
        name,
        context: { cluster: name, user: name, ...(config.namespace ? { namespace: config.namespace } : {}) },
      },
    ],
    'current-context': name,
  });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
