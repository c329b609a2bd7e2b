/** What one echo server was told about its health. */
export class EchoState {
  /** SIGTERM has come. */
  terminating = false;
  ready = true;
  /** Refuses every connection: what a broken program does that still gets traffic. */
  broken = false;
  #breaking: NodeJS.Timeout | undefined;
  #healing: NodeJS.Timeout | undefined;

  /** Readiness fails from now on; after `breakAfterMs`, serving too. All is well again after `healAfterMs`. */
  fail(breakAfterMs: number | undefined, healAfterMs: number | undefined): void {
    this.heal();
    this.ready = false;
    if (breakAfterMs !== undefined) {
      this.#breaking = setTimeout(() => {
        this.broken = true;
      }, breakAfterMs);
    }
    if (healAfterMs !== undefined) this.#healing = setTimeout(() => this.heal(), healAfterMs);
  }

  heal(): void {
    clearTimeout(this.#breaking);
    clearTimeout(this.#healing);
    this.ready = true;
    this.broken = false;
  }
}
