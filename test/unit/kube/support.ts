import type { Logger } from '../../../kube/log.ts';
import type { KubeObject } from '../../../kube/objects.ts';

/** A small object; `uid` and `resourceVersion` as given. */
export function kubeObject(
  name: string,
  resourceVersion = '1',
  uid = `uid-${name}`,
  labels: Record<string, string> = {},
): KubeObject {
  return { metadata: { name, namespace: 'ns', uid, resourceVersion, labels } };
}

/** A logger that keeps what it was told: `level event`. */
export function recordingLogger(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (event: string) => void lines.push(`${level} ${event}`);
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return { log, lines };
}
