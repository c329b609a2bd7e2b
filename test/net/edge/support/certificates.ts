// @peculiar/x509 resolves its parts through tsyringe, which needs this loaded first.
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { get } from 'node:https';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { bodyOf } from './traffic.ts';

const DAY_MS = 86_400_000;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** As a Secret of type kubernetes.io/tls has it, not encoded yet. */
export interface TlsData {
  'tls.crt': string;
  'tls.key': string;
}

export interface CertificateOptions {
  /** From now on; negative: it has expired. */
  days?: number;
  /** An RSA key of so many bits in the place of one that everybody takes. */
  rsaBits?: number;
}

/** A certificate of its own making for one DNS name. */
export async function makeCertificate(name: string, options: CertificateOptions = {}): Promise<TlsData> {
  const { days = 30, rsaBits } = options;
  const algorithm =
    rsaBits === undefined
      ? ECDSA
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
        };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: new Date(now - 60 * DAY_MS),
    notAfter: new Date(now + days * DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { 'tls.crt': cert.toString('pem'), 'tls.key': key };
}

/** An answer over TLS by a server that shows just this certificate, for a name. */
export function askEncrypted(address: string, { 'tls.crt': ca }: TlsData, name: string): Promise<string> {
  return bodyOf(get({ host: address, port: 443, servername: name, ca, agent: false, timeout: 15_000 }));
}

/** An encrypted connection, whoever is at the other end. */
export function openEncrypted(address: string, servername: string, port = 443): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, servername, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** The certificate that is shown to whoever asks for a name. */
export async function shownTo(address: string, servername: string): Promise<PeerCertificate> {
  const socket = await openEncrypted(address, servername);
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}
