import type { ServiceObserver } from '../service-observer.ts';

/** Something that a Service should be told. */
export interface Told {
  /** `namespace/name`. */
  service: string;
  note: string;
}

/** Tells a Service once what is the matter, and again only after that was over. */
export class TellOnce implements ServiceObserver {
  readonly #matters: () => readonly Told[];
  readonly #tell: (service: string, note: string) => void;
  #told = new Set<string>();

  /** `matters`: all that is the matter now, asked whenever the kernel has everything. */
  constructor(matters: () => readonly Told[], tell: (service: string, note: string) => void) {
    this.#matters = matters;
    this.#tell = tell;
  }

  compiled(): void {}

  applied(): void {
    const told = new Set<string>();
    for (const { service, note } of this.#matters()) {
      const key = `${service} ${note}`;
      told.add(key);
      if (!this.#told.has(key)) this.#tell(service, note);
    }
    this.#told = told;
  }
}
