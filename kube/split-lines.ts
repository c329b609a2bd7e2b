const NEWLINE = 0x0a;
/** etcd takes 1.5 MiB an object by default; a "line" beyond this is no watch event. */
const LONGEST_LINE = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines. It looks for the newline in the bytes and decodes only whole lines, so a character that
 * two chunks share is never torn; what is left at the end of the stream, a line cut short, is dropped.
 */
export class LineSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** The lines that this chunk completes, without their newlines; empty ones are left out. */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line =
        this.#pending.length === 0
          ? chunk.toString('utf8', start, end)
          : this.#join(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #join(last: Buffer): string {
    const line = Buffer.concat([...this.#pending, last]).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }

  #keep(rest: Buffer): void {
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    if (this.#pendingBytes > LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} bytes`);
  }
}
