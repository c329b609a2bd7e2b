import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { etcdDataDir } from './etcd.ts';

const PREFIX = 'fairlead-controlplane-';
/** Longer than any start takes: a younger folder may not have its etcd yet. */
const YOUNG_MS = 10 * 60_000;

/** A new folder for the data of one control plane, after removing those that killed runs left behind. */
export async function createDataDir(): Promise<string> {
  await sweep().catch(() => undefined);
  return mkdtemp(join(tmpdir(), PREFIX));
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const dir = join(tmpdir(), name);
    if (Date.now() - (await stat(dir)).birthtimeMs > YOUNG_MS && !inUse(dir)) {
      await rm(dir, { recursive: true, force: true });
    }
  }
}

/** A living etcd holds a lock on its database. Process ids would say nothing: the owner may be in a PID namespace. */
function inUse(dir: string): boolean {
  const database = join(etcdDataDir(dir), 'member', 'snap', 'db');
  return existsSync(database) && spawnSync('flock', ['--nonblock', database, 'true']).status !== 0;
}
