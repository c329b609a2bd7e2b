/**
 * Provides the programs of a control plane, building what is missing; prints one path a line.
 *
 *   node test/controlplane/build.ts                 what a cluster needs, by $KUBEBUILDER_ASSETS where it has them
 *   node test/controlplane/build.ts kube-proxy      those named
 */
import { parseArgs } from 'node:util';
import { findKubectl, findPrograms } from './binaries.ts';
import { CLUSTER_PROGRAMS, PROGRAMS } from './versions.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const names = PROGRAMS.map((program) => program.name);
const unknown = positionals.filter((name) => !names.some((known) => known === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; one of ${names.join(', ')}\n`);
  process.exitCode = 2;
} else {
  const paths =
    positionals.length > 0
      ? Object.values(await findPrograms(...names.filter((name) => positionals.includes(name))))
      : [...Object.values(await findPrograms(...CLUSTER_PROGRAMS)), await findKubectl()];
  for (const path of paths) process.stdout.write(`${path}\n`);
}
