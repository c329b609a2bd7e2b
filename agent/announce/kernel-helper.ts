import { runCommand, runOrThrow } from '../../kube/run-command.ts';
import { ShellHelper } from '../../kube/shell-helper.ts';
import { toOneLine } from '../nftables/nft-helper.ts';

/** What `ip` must not run after: nft refused the guard. */
const REFUSED = 200;
/** How `ip -force -batch` ends when a line failed. All above is a program that was killed, or never ran. */
const IP_COMPLAINED = 1;

/** A line for nft, the number of lines for ip, and those. */
const READS = `IFS= read -r guard && IFS= read -r count && {
  batch=
  while [ "$count" -gt 0 ]; do
    IFS= read -r line || exit 1
    batch="$batch$line
"
    count=$((count - 1))
  done
}`;
/** An address comes after its guard, and not without it. */
const RUNS = `[ -z "$guard" ] || nft "$guard" 2>&1 </dev/null || exit ${REFUSED}
    [ -z "$batch" ] || printf %s "$batch" | ip -force -batch - 2>&1`;

const TIMEOUT_MS = 10_000;
/** The shell reads byte by byte, and nft takes its input as one argument. */
const LONGEST = 16_384;

/** Changes the guard and the addresses, the one right before the other. Calls must not overlap. */
export class KernelHelper {
  readonly #shell = new ShellHelper(READS, RUNS);

  /**
   * Gives nft the commands of `guard` as one transaction, then ip the lines of `addresses`; either may be empty. Answers what
   * ip complained of: it goes on after a line that fails. @throws Error when nft won't have it, or when nobody knows.
   */
  async change(guard: string, addresses: readonly string[]): Promise<string> {
    if (guard.length + addresses.join('\n').length > LONGEST) return await changeBySpawning(guard, addresses);
    const input = [toOneLine(guard), addresses.length, ...addresses, ''].join('\n');
    const { status, said } = await this.#shell.run(input, TIMEOUT_MS);
    if (status === REFUSED) throw new Error(`nft: ${said}`);
    if (status > IP_COMPLAINED)
      throw new Error(`nft and ip were not run to their end: status ${status}, ${said}`);
    return status === 0 ? '' : said || `exit status ${status}`;
  }
}

async function changeBySpawning(guard: string, addresses: readonly string[]): Promise<string> {
  if (guard !== '') await runOrThrow('nft', ['-f', '-'], { input: guard });
  if (addresses.length === 0) return '';
  const result = await runCommand('ip', ['-force', '-batch', '-'], { input: `${addresses.join('\n')}\n` });
  return result.status === 0 ? '' : result.stderr || `exit status ${result.status}`;
}
