import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Logger } from '../../kube/log.ts';
import { type ConntrackSettings, decideSysctls, type Sysctl } from './decide-sysctls.ts';

/** One that isn't as it should be, since the kernel doesn't let this process. */
export interface SysctlProblem {
  path: string;
  /** What it should hold. */
  value: number;
  /** `ENOENT`, `EACCES`, `EROFS`, ... */
  reason: string;
}

/** Sets what isn't as it should be. What the kernel doesn't let us set is told once, and nothing stops for it. */
export async function setSysctls(sysctls: readonly Sysctl[], log: Logger): Promise<SysctlProblem[]> {
  const problems: SysctlProblem[] = [];
  for (const { path, value, atLeast } of sysctls) {
    try {
      const present = Number((await readFile(path, 'utf8')).trim());
      if (present === value || (atLeast && present > value)) continue;
      await writeFile(path, `${value}\n`);
      log.info('SysctlSet', { path, value, before: present });
    } catch (error) {
      const reason = codeOf(error);
      problems.push({ path, value, reason });
      log.warn('SysctlNotSet', { path, value, reason });
    }
  }
  return problems;
}

/** Sets connection tracking up for this machine; null: it is left alone. */
export async function tuneConntrack(
  settings: ConntrackSettings | null,
  log: Logger,
): Promise<SysctlProblem[]> {
  return settings === null ? [] : await setSysctls(decideSysctls(settings, cpus().length), log);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
