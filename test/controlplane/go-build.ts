import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boundCommand } from './bound-command.ts';
import { type Program, parseMinor } from './versions.ts';

/** Linker flags: without debug tables, and with the version that Kubernetes' programs report about themselves. */
export function linkerFlags(kubernetes: string): string {
  const { major, minor } = parseMinor(kubernetes);
  const version = 'k8s.io/component-base/version';
  return [
    '-s -w',
    `-X ${version}.gitVersion=v${kubernetes}`,
    `-X ${version}.gitMajor=${major}`,
    `-X ${version}.gitMinor=${minor}`,
  ].join(' ');
}

/** Builds one program as `<dir>/<name>`; the name appears only once the program is whole. */
export async function goBuild(program: Program, dir: string, kubernetes: string): Promise<void> {
  const target = join(dir, program.name);
  const unfinished = `${target}.${randomUUID()}.tmp`;
  try {
    await runGo(program, [
      'build',
      '-mod=readonly',
      '-buildvcs=false',
      '-trimpath',
      '-ldflags',
      linkerFlags(kubernetes),
      '-o',
      unfinished,
      program.package,
    ]);
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function runGo(program: Program, args: string[]): Promise<void> {
  const child = spawn(...boundCommand('go', args), {
    cwd: fileURLToPath(new URL(program.module, import.meta.url)),
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const interrupt = () => child.kill();
  process.once('exit', interrupt);
  return new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`cannot run go: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`go build of ${program.name} ended with ${code ?? signal}:\n${said.trim()}`));
    });
  }).finally(() => process.off('exit', interrupt));
}
