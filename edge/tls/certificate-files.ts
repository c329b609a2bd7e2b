import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFileWhole } from '../write-file-whole.ts';
import { fitsCommand } from './replace-certificate.ts';

const ENDING = '.pem';
/** In no name of Kubernetes. */
const MARK = '_';

/**
 * Certificates with their keys in a folder of their own, which none but their owner reads. A file is named after its Secret, and
 * one that is too large to be replaced at run time after its text as well: then another text is another file, and a reload.
 */
export class CertificateFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** The name for a certificate of the Secret `namespace/name`. A namespace has no dot. */
  nameFor(secret: string, pem: string): string {
    const digest = createHash('sha256').update(pem).digest('hex').slice(0, 16);
    return `${baseOf(secret)}${fitsCommand(pem) ? '' : `${MARK}${digest}`}${ENDING}`;
  }

  /** The one that was written last for a Secret; undefined: none. */
  find(secret: string): string | undefined {
    const base = baseOf(secret);
    const own = this.#names().filter((name) => name.slice(0, -ENDING.length).split(MARK)[0] === base);
    const [last] = own.sort((a, b) => this.#writtenAt(b) - this.#writtenAt(a));
    return last;
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  write(name: string, pem: string): void {
    writeFileWhole(this.path(name), pem);
  }

  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#names()) if (!names.has(name)) rmSync(this.path(name), { force: true });
  }

  #names(): string[] {
    return readdirSync(this.#folder).filter((name) => name.endsWith(ENDING));
  }

  #writtenAt(name: string): number {
    return statSync(this.path(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}

function baseOf(secret: string): string {
  return secret.replace('/', '.');
}
