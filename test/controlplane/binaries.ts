import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildPrograms, KUBERNETES_VERSION } from './build-programs.ts';
import { runCommand } from './run-command.ts';
import { kubectlServes, type ProgramName } from './versions.ts';

/**
 * Paths of programs: from `$KUBEBUILDER_ASSETS` (the convention of controller-runtime's envtest) where that folder has
 * them, else our own, built first if need be.
 */
export async function findPrograms<N extends ProgramName>(...names: N[]): Promise<Record<N, string>> {
  const assets = assetsDir();
  const given = (name: ProgramName) => assets !== undefined && existsSync(join(assets, name));
  const built = names.filter((name) => !given(name));
  const dir = built.length > 0 ? await buildPrograms(built) : '';
  const paths: Partial<Record<N, string>> = {};
  for (const name of names) paths[name] = join(given(name) && assets !== undefined ? assets : dir, name);
  return paths as Record<N, string>;
}

/** A kubectl that the server's version supports: of `$KUBEBUILDER_ASSETS`, else of the PATH, else our own. */
export async function findKubectl(): Promise<string> {
  const assets = assetsDir();
  if (assets !== undefined && existsSync(join(assets, 'kubectl'))) return join(assets, 'kubectl');
  const onPath = await kubectlVersion('kubectl').catch(() => undefined);
  if (onPath !== undefined && kubectlServes(onPath, await serverVersion())) return 'kubectl';
  return (await findPrograms('kubectl')).kubectl;
}

async function serverVersion(): Promise<string> {
  const assets = assetsDir();
  if (assets === undefined || !existsSync(join(assets, 'kube-apiserver'))) return KUBERNETES_VERSION;
  const said = await runCommand(join(assets, 'kube-apiserver'), ['--version']);
  return said.replace('Kubernetes', '').trim();
}

async function kubectlVersion(kubectl: string): Promise<string> {
  const said: unknown = JSON.parse(await runCommand(kubectl, ['version', '--client', '--output', 'json']));
  if (typeof said !== 'object' || said === null || !('clientVersion' in said))
    throw new Error('no clientVersion');
  const { clientVersion } = said;
  if (typeof clientVersion !== 'object' || clientVersion === null || !('gitVersion' in clientVersion)) {
    throw new Error('no gitVersion');
  }
  return String(clientVersion.gitVersion);
}

function assetsDir(): string | undefined {
  const dir = process.env.KUBEBUILDER_ASSETS || undefined;
  if (dir !== undefined && !existsSync(dir)) throw new Error(`KUBEBUILDER_ASSETS names no folder: ${dir}`);
  return dir;
}
