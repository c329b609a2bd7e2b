import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Secret } from '../../kube/objects.ts';

/** A certificate that a server can show. */
export interface Certificate {
  /** The certificate, those of its authorities in their order, and the key: as HAProxy reads them, with no line but theirs. */
  pem: string;
  notAfter: Date;
}

/** Keys of a Secret of type kubernetes.io/tls. */
const CHAIN = 'tls.crt';
const KEY = 'tls.key';
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a certificate and its key out of a Secret. Both are written anew, so that nothing else that somebody put beside them gets
 * to HAProxy's command line. Answers what is wrong, in words, when they can't be used.
 */
export function readCertificate({ data = {} }: Pick<Secret, 'data'>): Certificate | string {
  const chain = readChain(decode(data[CHAIN]));
  if (typeof chain === 'string') return chain;
  const [own] = chain;
  if (own === undefined) return `${CHAIN} has no certificate in PEM`;
  const key = readKey(decode(data[KEY]));
  if (typeof key === 'string') return key;
  if (!own.checkPrivateKey(key)) return `${KEY} is not the key of the certificate in ${CHAIN}`;
  const texts = [
    ...chain.map((each) => each.toString()),
    key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ];
  return { pem: texts.map((text) => `${text.trim()}\n`).join(''), notAfter: own.validToDate };
}

/** When the certificate in such a text expires; undefined: there is none in it. */
export function readExpiry(pem: string): Date | undefined {
  const chain = readChain(pem);
  return typeof chain === 'string' ? undefined : chain[0]?.validToDate;
}

function readChain(text: string): X509Certificate[] | string {
  try {
    return [...text.matchAll(BLOCK)].map(([block]) => new X509Certificate(block));
  } catch {
    return `${CHAIN} has a certificate that can't be read`;
  }
}

/** What OpenSSL says of a key that it can't read is of no use, and may tell of it. */
function readKey(text: string): KeyObject | string {
  if (text.trim() === '') return `there is no ${KEY}`;
  try {
    return createPrivateKey(text);
  } catch {
    return `${KEY} can't be read: it must be a private key in PEM, with no passphrase`;
  }
}

function decode(value = ''): string {
  return Buffer.from(value, 'base64').toString('utf8');
}
