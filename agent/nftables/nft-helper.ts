import { type ShellAnswer, ShellHelper } from '../../kube/shell-helper.ts';

/** A line that was cut short, since its writer was killed, isn't read. */
const READS = 'IFS= read -r input';
const RUNS = 'nft "$input" 2>&1 </dev/null';

/** Commands as one line, as nft takes them in an argument. */
export function toOneLine(commands: string): string {
  return commands.trimEnd().replaceAll(/\n+/g, ' ; ');
}

/** A small shell that runs nft for us, one run after the other. */
export class NftHelper {
  readonly #helper = new ShellHelper(READS, RUNS);

  /** Runs commands, in one transaction. Rejects when nobody knows what became of them. */
  run(commands: string, timeoutMs: number): Promise<ShellAnswer> {
    return this.#helper.run(`${toOneLine(commands)}\n`, timeoutMs);
  }
}
