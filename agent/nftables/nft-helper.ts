import { type ShellAnswer, ShellHelper } from '../../kube/shell-helper.ts';

/** Read as a whole before nft runs: of a line that was cut short, since its writer was killed, nothing is done. */
const SCRIPT = `while IFS= read -r input; do
  said=$(nft "$input" 2>&1 </dev/null)
  printf '%s %s\\n%s' "$?" "\${#said}" "$said"
done`;

/** A small shell that runs nft for us, one run after the other. */
export class NftHelper {
  readonly #helper = new ShellHelper(SCRIPT);

  /** Runs commands, in one transaction. Rejects when nobody knows what became of them. */
  run(commands: string, timeoutMs: number): Promise<ShellAnswer> {
    return this.#helper.run(`${commands.trimEnd().replaceAll('\n', ' ; ')}\n`, timeoutMs);
  }
}
