import { join } from 'node:path';
import type { EchoConfig } from '../echo/echo-config.ts';
import { listenersOf } from '../echo/echo-config.ts';
import { inNamespace } from '../network/namespaces.ts';
import type { Container, Pod } from './pod.ts';
import { PodProcess } from './pod-process.ts';

export type LaunchContainer = (
  pod: Pod,
  container: Container,
  namespace: string | undefined,
) => Promise<PodProcess>;

const ECHO_SERVER = new URL('../echo/echo-server.ts', import.meta.url).pathname;

/** Runs the echo server for any container, whatever its image: there is no container runtime in the lab. */
export function echoLauncher(nodeName: string, logDir: string): LaunchContainer {
  return (pod, container, namespace) => {
    const { name, namespace: podNamespace = '' } = pod.metadata;
    const config: EchoConfig = {
      pod: name,
      namespace: podNamespace,
      node: nodeName,
      listeners: listenersOf(container),
    };
    const program = [process.execPath, ECHO_SERVER];
    const command = namespace === undefined ? program : inNamespace(namespace, program);
    const env = { ...process.env, ECHO_CONFIG: JSON.stringify(config) };
    return PodProcess.start(command, env, join(logDir, `${podNamespace}_${name}_${container.name}.log`));
  };
}
