// @peculiar/x509 resolves its parts through tsyringe, which needs this loaded first.
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;

/** PEM texts. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** An authority of one control plane: it lives as long as that one, its key never leaves memory. */
export class Authority {
  readonly #issuer: x509.X509Certificate;
  readonly #signingKey: webcrypto.CryptoKey;

  private constructor(issuer: x509.X509Certificate, signingKey: webcrypto.CryptoKey) {
    this.#issuer = issuer;
    this.#signingKey = signingKey;
  }

  static async create(commonName: string): Promise<Authority> {
    const keys = await generateKeys();
    const issuer = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: [{ CN: [commonName] }],
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(issuer, keys.privateKey);
  }

  /** The authority's own certificate, PEM. */
  get cert(): string {
    return this.#issuer.toString('pem');
  }

  /** For a server reached by these host names and addresses; `valid`: from now, or over for a day. */
  issueServer(
    commonName: string,
    names: readonly string[],
    valid: 'now' | 'before' = 'now',
  ): Promise<KeyPair> {
    const alternatives = new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
    );
    const period = valid === 'now' ? validity() : validity(Date.now() - 3 * DAY_MS, 2);
    return this.#issue([{ CN: [commonName] }], serverAuth, [alternatives], period);
  }

  /** For a client that Kubernetes takes for this user, in these groups. */
  issueClient(user: string, groups: readonly string[]): Promise<KeyPair> {
    return this.#issue([...groups.map((group) => ({ O: [group] })), { CN: [user] }], clientAuth, []);
  }

  async #issue(
    subject: x509.JsonName,
    usage: string,
    extensions: x509.Extension[],
    period = validity(),
  ): Promise<KeyPair> {
    const keys = await generateKeys();
    const cert = await x509.X509CertificateGenerator.create({
      ...period,
      subject,
      issuer: this.#issuer.subjectName.toJSON(),
      publicKey: keys.publicKey,
      signingKey: this.#signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.publicKey),
        ...extensions,
      ],
    });
    return { cert: cert.toString('pem'), key: pemOf(keys.privateKey, 'pkcs8') };
  }
}

/** A key pair that signs and verifies ServiceAccount tokens (ES256). */
export async function createTokenKeys(): Promise<{ privateKey: string; publicKey: string }> {
  const keys = await generateKeys();
  return { privateKey: pemOf(keys.privateKey, 'pkcs8'), publicKey: pemOf(keys.publicKey, 'spki') };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function pemOf(key: webcrypto.CryptoKey, type: 'pkcs8' | 'spki'): string {
  return KeyObject.from(key).export({ type, format: 'pem' }).toString();
}

/** From yesterday, for clocks that disagree, to a year from now: a lab may stay up. */
function validity(from = Date.now() - DAY_MS, days = 366): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(from), notAfter: new Date(from + days * DAY_MS) };
}
