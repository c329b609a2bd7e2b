import { mustRun } from '../run-command.ts';

/**
 * `command`, to be run in a network namespace. nsenter and not `ip netns exec`: the latter mounts a fresh /sys, which a
 * user namespace may not always do.
 */
export function inNamespace(name: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${name}`, '--', ...command];
}

export interface NetworkScript {
  /** Below /proc/sys/net, as they are to be before any link is made. */
  sysctls: Record<string, string | number>;
  /** Lines for `ip -batch`. */
  ip: string[];
}

/** A shell script that carries a NetworkScript out, for the namespace that it is run in. */
export function renderScript(script: NetworkScript): string {
  const sysctls = Object.entries(script.sysctls).map(
    ([key, value]) => `echo ${value} > /proc/sys/net/${key}`,
  );
  return ['set -e', ...sysctls, "ip -batch - <<'EOF'", ...script.ip, 'EOF', ''].join('\n');
}

/** Carries a NetworkScript out in a namespace, or without a name in this process's own. */
export async function applyScript(name: string | undefined, script: NetworkScript): Promise<void> {
  const shell = ['sh', '-s'];
  await mustRun(name === undefined ? shell : inNamespace(name, shell), { input: renderScript(script) });
}
