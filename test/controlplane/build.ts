/**
 * Provides the programs of a control plane, building what is missing; prints one path a line.
 *
 *   node test/controlplane/build.ts                 what a cluster needs, by $KUBEBUILDER_ASSETS where it has them
 *   node test/controlplane/build.ts kube-proxy      those named
 *   node test/controlplane/build.ts --check         builds nothing: exit status 1 when a program of a cluster is missing
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findKubectl, findPrograms } from './binaries.ts';
import { builtDir } from './build-programs.ts';
import { CLUSTER_PROGRAMS, PROGRAMS } from './versions.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
const names = PROGRAMS.map((program) => program.name);
const unknown = positionals.filter((name) => !names.some((known) => known === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; one of ${names.join(', ')}\n`);
  process.exitCode = 2;
} else if (values.check) {
  process.exitCode = CLUSTER_PROGRAMS.every((name) => existsSync(join(builtDir(), name))) ? 0 : 1;
} else {
  try {
    for (const path of await findAsked()) process.stdout.write(`${path}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function findAsked(): Promise<string[]> {
  if (positionals.length > 0) {
    return Object.values(await findPrograms(...names.filter((name) => positionals.includes(name))));
  }
  return [...Object.values(await findPrograms(...CLUSTER_PROGRAMS)), await findKubectl()];
}
