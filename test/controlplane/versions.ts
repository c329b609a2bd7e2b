import { readFileSync } from 'node:fs';

/** A program that this folder's pinned Go modules can build. */
export interface Program {
  name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'kube-proxy';
  /** The folder beside this file whose go.mod pins it. */
  module: 'etcd' | 'kubernetes';
  package: string;
}

export type ProgramName = Program['name'];

/** In the order in which they are built: what an API server needs comes first. */
export const PROGRAMS: readonly Program[] = [
  { name: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  ...(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kube-proxy'] as const).map(
    (name) => ({ name, module: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}` }) as const,
  ),
];

/** What every cluster needs. The kubectl may be the machine's own, and kube-proxy is a peer for benchmarks. */
export const CLUSTER_PROGRAMS: readonly ProgramName[] = PROGRAMS.map((program) => program.name).filter(
  (name) => name !== 'kubectl' && name !== 'kube-proxy',
);

/** The text of a file of this folder. */
export function readPinned(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

/** The version that a go.mod requires of a module, without its `v`. */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [path, version] = line
      .trim()
      .replace(/^require /, '')
      .split(/\s+/);
    if (path === module && version?.startsWith('v')) return version.slice(1);
  }
  throw new Error(`go.mod requires no ${module}`);
}

/** `major.minor` of `1.36.3` or `v1.36.3-dispatcher`. */
export function parseMinor(version: string): { major: number; minor: number } {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  if (!match) throw new Error(`not a version: ${version}`);
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** Kubernetes supports a kubectl one minor version older or newer than the API server (its version skew policy). */
export function kubectlServes(kubectlVersion: string, serverVersion: string): boolean {
  const kubectl = parseMinor(kubectlVersion);
  const server = parseMinor(serverVersion);
  return kubectl.major === server.major && Math.abs(kubectl.minor - server.minor) <= 1;
}
