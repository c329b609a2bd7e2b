import { spawnSync } from 'node:child_process';

let setprivWorks: boolean | undefined;

/**
 * The command line that dies with the process that starts it, however that one ends: setpriv of util-linux asks the
 * kernel for it (PR_SET_PDEATHSIG). Without such a setpriv, only orderly ends are covered.
 */
export function boundCommand(command: string, args: readonly string[]): [string, string[]] {
  setprivWorks ??= spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return setprivWorks ? ['setpriv', ['--pdeathsig', 'KILL', command, ...args]] : [command, [...args]];
}
