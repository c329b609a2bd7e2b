import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withBuildLock } from '../../controlplane/build-lock.ts';
import { withProgress } from '../../controlplane/build-progress.ts';
import { runCommand } from '../../controlplane/run-command.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
/** Written last: a folder without it was left by a making that was cut off. */
const FINISHED = 'finished';

/** Where the virtual environment lies: a folder for each set of pinned versions, in the user's cache. */
export function environmentDir(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  return join(cache, 'fairlead', 'aws', `moto-${process.platform}-${process.arch}-${hash}`);
}

/** The Python that has moto, made first if need be, quietly when it is there. A virtual environment can't be moved. */
export async function findPython(): Promise<string> {
  const dir = environmentDir();
  const python = join(dir, 'bin', 'python');
  if (isWhole(dir)) return python;
  await mkdir(join(dir, '..'), { recursive: true });
  const sayWaiting = () => process.stderr.write("waiting for another run that makes moto's environment\n");
  await withBuildLock(`${dir}.lock`, sayWaiting, async () => {
    if (isWhole(dir)) return;
    await rm(dir, { recursive: true, force: true });
    await withProgress('the stand-in for AWS', async () => {
      await runCommand('python3', ['-m', 'venv', dir]);
      const pip = ['-m', 'pip', '--disable-pip-version-check', '--quiet', 'install'];
      await runCommand(python, [...pip, '--require-hashes', '--only-binary', ':all:', '-r', REQUIREMENTS]);
      await writeFile(join(dir, FINISHED), '');
    });
  });
  return python;
}

/** Whether all is there: also not when the Python that it was made with was replaced by a later one since. */
export function isWhole(dir: string): boolean {
  if (!existsSync(join(dir, FINISHED))) return false;
  const configuration = readFileSync(join(dir, 'pyvenv.cfg'), 'utf8');
  const home = /^home = (.+)$/m.exec(configuration)?.[1];
  const version = /^version = (\d+\.\d+)/m.exec(configuration)?.[1];
  return home !== undefined && version !== undefined && existsSync(join(home, `python${version}`));
}
