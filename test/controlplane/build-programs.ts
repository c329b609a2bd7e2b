import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withBuildLock } from './build-lock.ts';
import { withProgress } from './build-progress.ts';
import { cacheKey } from './cache-key.ts';
import { goBuild, linkerFlags } from './go-build.ts';
import { PROGRAMS, type ProgramName, readPinned, requiredVersion } from './versions.ts';

/** The Kubernetes version that test/controlplane/kubernetes/go.mod pins. */
export const KUBERNETES_VERSION = requiredVersion(readPinned('kubernetes/go.mod'), 'k8s.io/kubernetes');
const ETCD_VERSION = requiredVersion(readPinned('etcd/go.mod'), 'go.etcd.io/etcd/server/v3');

/** Where built programs lie: one folder for each set of versions, in the user's cache. */
export function builtDir(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const key = cacheKey({
    kubernetes: KUBERNETES_VERSION,
    etcd: ETCD_VERSION,
    platform: `${process.platform}-${process.arch}`,
    pinned: [
      ...['etcd/go.mod', 'etcd/go.sum', 'kubernetes/go.mod', 'kubernetes/go.sum'].map(readPinned),
      linkerFlags(KUBERNETES_VERSION),
    ],
  });
  return join(cache, 'fairlead', 'controlplane', key, 'bin');
}

/** Builds what isn't there yet of `names`, quietly when all is; returns the folder that holds them. */
export async function buildPrograms(names: readonly ProgramName[]): Promise<string> {
  const dir = builtDir();
  const missing = () =>
    PROGRAMS.filter((program) => names.includes(program.name) && !existsSync(join(dir, program.name)));
  if (missing().length === 0) return dir;
  await mkdir(dir, { recursive: true });
  const sayWaiting = () => process.stderr.write('waiting for another run that builds the control plane\n');
  await withBuildLock(join(dir, '..', 'lock'), sayWaiting, async () => {
    const programs = missing();
    for (const [index, program] of programs.entries()) {
      const version = program.module === 'etcd' ? ETCD_VERSION : KUBERNETES_VERSION;
      const what = `${program.name} ${version} (${index + 1} of ${programs.length})`;
      await withProgress(what, () => goBuild(program, dir, KUBERNETES_VERSION));
    }
  });
  return dir;
}
