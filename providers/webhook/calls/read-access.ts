import { X509Certificate } from 'node:crypto';
import type { WebhookConfig } from '../../../crds/webhook-provider.ts';
import type { TlsMaterial } from '../../../kube/config.ts';
import { ClassedError, isClass } from '../../../kube/errors.ts';

/** How to read what a provider names in Fairlead's namespace: values by key. Each throws NotFound where there is none. */
export interface AccessReaders {
  /** Decoded. */
  readSecret(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  readConfigMap(name: string, signal: AbortSignal): Promise<Record<string, string>>;
}

/** Who we are to a server, and whom we take it for. */
export interface Access {
  tls: TlsMaterial;
  token?: string | undefined;
}

/** Nobody tells when a Secret comes or changes. */
const AGAIN_AFTER_SECONDS = 30;

/** What `tls` and `credentials` name. Throws a ClassedError that says what to put where. */
export async function readAccess(
  { tls, credentials }: Pick<WebhookConfig, 'tls' | 'credentials'>,
  readers: AccessReaders,
  signal: AbortSignal,
): Promise<Access> {
  const [ca, own] = await Promise.all([
    readAuthorities(tls, readers, signal),
    credentials === undefined
      ? undefined
      : read('Secret', credentials.secretName, () => readers.readSecret(credentials.secretName, signal)),
  ]);
  if (own === undefined) return { tls: { ca } };
  const secret = `Secret "${credentials?.secretName}"`;
  const { token, 'tls.crt': cert, 'tls.key': key } = own;
  if (isEmpty(token) && isEmpty(cert)) throw incomplete(`${secret} has neither token nor tls.crt.`);
  if (isEmpty(cert) !== isEmpty(key)) {
    throw incomplete(`${secret} has no ${isEmpty(key) ? 'tls.key' : 'tls.crt'}.`);
  }
  if (token !== undefined && /[^\x21-\x7e]/.test(token.trim())) {
    throw incomplete(`The token of ${secret} has characters that no header can carry.`);
  }
  return {
    tls: { ca, ...(isEmpty(cert) ? {} : { cert, key }) },
    ...(isEmpty(token) ? {} : { token: token?.trim() }),
  };
}

async function readAuthorities(
  tls: WebhookConfig['tls'],
  readers: AccessReaders,
  signal: AbortSignal,
): Promise<string | undefined> {
  const secret = tls?.caSecretName;
  const configMap = tls?.caConfigMapName;
  if (secret !== undefined) {
    return authoritiesOf(
      `Secret "${secret}"`,
      await read('Secret', secret, () => readers.readSecret(secret, signal)),
    );
  }
  if (configMap !== undefined) {
    const values = await read('ConfigMap', configMap, () => readers.readConfigMap(configMap, signal));
    return authoritiesOf(`ConfigMap "${configMap}"`, values);
  }
  return undefined;
}

/** Node takes what isn't PEM for no authority at all, and then trusts nobody without saying why. */
function authoritiesOf(where: string, values: Record<string, string>): string {
  const ca = values['ca.crt'];
  if (ca === undefined || isEmpty(ca)) throw incomplete(`${where} has no ca.crt.`);
  try {
    new X509Certificate(ca);
  } catch (cause) {
    throw incomplete(`ca.crt of ${where} holds no certificate in PEM.`, cause);
  }
  return ca;
}

async function read(
  kind: string,
  name: string,
  ask: () => Promise<Record<string, string>>,
): Promise<Record<string, string>> {
  try {
    return await ask();
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
    throw new ClassedError(`There is no ${kind} "${name}" in Fairlead's namespace.`, {
      class: 'Transient',
      reason: `${kind}NotFound`,
      retryAfterSeconds: AGAIN_AFTER_SECONDS,
      cause: error,
    });
  }
}

function incomplete(message: string, cause?: unknown): ClassedError {
  return new ClassedError(message, {
    class: 'Transient',
    reason: 'AccessIncomplete',
    retryAfterSeconds: AGAIN_AFTER_SECONDS,
    cause,
  });
}

function isEmpty(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}
