import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Styled for this terminal, or plain: without a TTY, and with NO_COLOR. */
function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** `340 ms`, `4.2 s`. */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** Writes the demo's story: headings, commands with what they print, and claims that held or didn't. */
export class Terminal {
  readonly #live = process.stdout.isTTY === true;
  #failed = 0;
  #waiting = false;

  /** Claims that did not hold. */
  get failed(): number {
    return this.#failed;
  }

  heading(text: string): void {
    this.#line(`\n${paint(['bold', 'cyan'], text)}`);
  }

  say(text: string): void {
    this.#line(`  ${text}`);
  }

  aside(text: string): void {
    this.#line(`  ${paint('dim', text)}`);
  }

  /** What is going on now: gone with the next line; only for eyes. */
  wait(text: string): void {
    if (!this.#live) return;
    process.stdout.write(`\r\x1b[K  ${paint('yellow', '…')} ${paint('dim', text)}`);
    this.#waiting = true;
  }

  command(text: string): void {
    this.#line(`\n  ${paint('dim', '$')} ${paint('bold', text)}`);
  }

  output(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#line(`  ${line}`);
  }

  /** A step that took its time. */
  done(what: string, ms: number): void {
    this.#line(`  ${paint('green', '✓')} ${what.padEnd(66)} ${paint('dim', formatMs(ms).padStart(8))}`);
  }

  /** Something shown; a claim that doesn't hold makes the demo fail. */
  claim(holds: boolean, what: string): void {
    if (!holds) this.#failed++;
    this.#line(`  ${holds ? paint('green', '✓') : paint(['bold', 'red'], '✗')} ${what}`);
  }

  error(text: string): void {
    this.#line(`  ${paint(['bold', 'red'], '✗')} ${text}`);
  }

  bold(text: string): string {
    return paint('bold', text);
  }

  #line(text: string): void {
    if (this.#waiting) process.stdout.write('\r\x1b[K');
    this.#waiting = false;
    process.stdout.write(`${text.trimEnd()}\n`);
  }
}
