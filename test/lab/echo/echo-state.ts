/** What one echo server was told about its health. */
export class EchoState {
  /** SIGTERM has come. */
  terminating = false;
  ready = true;
  /** Refuses every connection: what a broken program does that still gets traffic. */
  broken = false;
  #breaking: NodeJS.Timeout | undefined;

  /** Readiness fails from now on; after `breakAfterMs`, serving too. */
  fail(breakAfterMs: number | undefined): void {
    this.ready = false;
    if (breakAfterMs === undefined) return;
    this.#breaking = setTimeout(() => {
      this.broken = true;
    }, breakAfterMs);
  }

  heal(): void {
    clearTimeout(this.#breaking);
    this.ready = true;
    this.broken = false;
  }
}
