import { rmSync } from 'node:fs';
import type { Logger } from '../../kube/log.ts';
import type { Fault } from '../model.ts';
import { CertificateFiles } from './certificate-files.ts';
import { checkCertificates } from './check-certificates.ts';
import { type Certificate, readCertificate, readExpiry } from './read-certificate.ts';
import { fitsCommand, replaceCertificate } from './replace-certificate.ts';
import type { SecretReading } from './secret-watches.ts';

/** How it stands with the certificate of one Secret. */
export interface CertificateState {
  /** The file in the folder of certificates that is served; undefined: there is none. */
  file: string | undefined;
  notAfter: Date | undefined;
  /** Why what the Secret says isn't served. */
  fault: Fault | undefined;
}

export interface CertificatesOptions {
  /** Of all certificates. */
  folder: string;
  /** The program. */
  haproxy: string;
  /** Of HAProxy's master. */
  socket: string;
  log: Logger;
}

/** A certificate in its file, which every HAProxy that has the file in its configuration has taken in. */
interface Held {
  file: string;
  pem: string;
  notAfter: Date | undefined;
}

/** In the place of a version: no Secret has it. */
const TRY_AGAIN = '';

interface Candidate extends Certificate {
  secret: string;
  version: string;
}

/**
 * The certificates of this edge. A good one is served until a better one takes its place: what is missing, can't be read, or is
 * refused by HAProxy leaves the last one where it is. The files are all that there is to remember: one is written once the
 * worker has what is in it.
 */
export class EdgeCertificates {
  readonly #options: CertificatesOptions;
  readonly #files: CertificateFiles;
  readonly #held = new Map<string, Held>();
  /** What was looked at last of each Secret, and what was wrong with it. */
  readonly #seen = new Map<string, { version: string; fault: Fault | undefined }>();
  /** Of which it isn't known whether a worker has what is in the file. */
  readonly #unsure = new Set<string>();
  /** Put into the place of others with no reload. */
  replaced = 0;

  constructor(options: CertificatesOptions) {
    this.#options = options;
    this.#files = new CertificateFiles(options.folder);
  }

  /** Takes in what is known of Secrets, by `namespace/name`. What HAProxy doesn't answer about is tried again the next time. */
  async takeIn(readings: ReadonlyMap<string, SecretReading>): Promise<Map<string, CertificateState>> {
    for (const secret of [...this.#held.keys(), ...this.#seen.keys()]) {
      if (!readings.has(secret)) this.#forget(secret);
    }
    const candidates = [...readings].flatMap(([secret, reading]) => this.#look(secret, reading) ?? []);
    await this.#take(candidates).catch((error: unknown) => this.#fail(candidates, error));
    return new Map([...readings].map(([secret, reading]) => [secret, this.#describe(secret, reading)]));
  }

  /** Takes away the files that nothing refers to. */
  keepOnly(files: Iterable<string>): void {
    this.#files.keepOnly(new Set([...files, ...[...this.#held.values()].map(({ file }) => file)]));
  }

  #forget(secret: string): void {
    this.#held.delete(secret);
    this.#seen.delete(secret);
    this.#unsure.delete(secret);
  }

  /** What is to be served, if it's another than before. */
  #look(secret: string, reading: SecretReading): Candidate | undefined {
    const held = this.#held.get(secret) ?? this.#find(secret);
    if (reading.state !== 'There') return undefined;
    const { resourceVersion = '', uid = '' } = reading.secret.metadata;
    const version = `${uid} ${resourceVersion}`;
    const isUnsure = this.#unsure.has(secret);
    if (this.#seen.get(secret)?.version === version && !isUnsure) return undefined;
    const certificate = readCertificate(reading.secret);
    if (typeof certificate !== 'string' && (certificate.pem !== held?.pem || isUnsure))
      return { secret, version, ...certificate };
    const fault = typeof certificate === 'string' ? invalid(secret, certificate) : undefined;
    this.#note(secret, version, fault);
    return undefined;
  }

  /** What an earlier life left. */
  #find(secret: string): Held | undefined {
    const file = this.#files.find(secret);
    if (file === undefined) return undefined;
    const pem = this.#files.read(file);
    const held = { file, pem, notAfter: readExpiry(pem) };
    this.#held.set(secret, held);
    return held;
  }

  async #take(candidates: readonly Candidate[]): Promise<void> {
    const { folder, haproxy } = this.#options;
    const written = new Map(
      candidates.map((candidate, index) => [this.#files.path(`candidate-${index}.new`), candidate]),
    );
    try {
      for (const [path, { pem }] of written) this.#files.write(path.slice(folder.length + 1), pem);
      const refused = await checkCertificates(haproxy, this.#files.path('check.cfg'), [...written.keys()]);
      for (const [path, candidate] of written) await this.#put(candidate, refused.get(path));
    } finally {
      for (const path of written.keys()) rmSync(path, { force: true });
    }
  }

  /** Into the worker first, then into the file. */
  async #put({ notAfter, pem, secret, version }: Candidate, refusal: string | undefined): Promise<void> {
    if (refusal !== undefined) return this.#note(secret, version, refused(secret, refusal));
    const file = this.#files.nameFor(secret, pem);
    const answer = fitsCommand(pem)
      ? await replaceCertificate(this.#options.socket, this.#files.path(file), pem)
      : undefined;
    if (answer?.kind === 'Refused') return this.#note(secret, version, refused(secret, answer.message));
    this.#files.write(file, pem);
    this.#held.set(secret, { file, pem, notAfter });
    if (answer?.kind === 'NobodyThere') this.#unsure.add(secret);
    else this.#unsure.delete(secret);
    if (answer?.kind === 'Replaced') this.replaced++;
    this.#options.log.info('CertificateTakenIn', { secret, notAfter, how: answer?.kind ?? 'NotLoaded' });
    this.#note(secret, version, undefined);
  }

  #fail(candidates: readonly Candidate[], error: unknown): void {
    this.#options.log.error('CertificatesNotTakenIn', { error });
    const message = error instanceof Error ? error.message : String(error);
    for (const { secret, version } of candidates) {
      if (this.#seen.get(secret)?.version === version) continue;
      const fault = { reason: 'CertificateRefused', message: `Secret ${secret}: ${message}` };
      this.#seen.set(secret, { version: TRY_AGAIN, fault });
    }
  }

  #note(secret: string, version: string, fault: Fault | undefined): void {
    if (fault !== undefined) this.#options.log.warn('CertificateRefused', { secret, ...fault });
    this.#seen.set(secret, { version, fault });
  }

  #describe(secret: string, reading: SecretReading): CertificateState {
    const held = this.#held.get(secret);
    const fault = explainAbsence(secret, reading) ?? this.#seen.get(secret)?.fault;
    return { file: held?.file, notAfter: held?.notAfter, fault };
  }
}

function explainAbsence(secret: string, { state }: SecretReading): Fault | undefined {
  if (state === 'Missing') {
    return {
      reason: 'CertificateMissing',
      message: `There is no Secret ${secret}: make it, with tls.crt and tls.key.`,
    };
  }
  if (state !== 'Forbidden') return undefined;
  const message = `The edge may not read Secret ${secret}: allow it by a Role for this name, as docs/providers/haproxy.md has it.`;
  return { reason: 'CertificateForbidden', message };
}

function invalid(secret: string, what: string): Fault {
  return {
    reason: 'CertificateInvalid',
    message: `The certificate in Secret ${secret} can't be used: ${what}.`,
  };
}

function refused(secret: string, what: string): Fault {
  return {
    reason: 'CertificateRefused',
    message: `HAProxy refuses the certificate in Secret ${secret}: ${what}`,
  };
}
