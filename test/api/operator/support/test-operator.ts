import { randomBytes } from 'node:crypto';
import { KubeClient } from '../../../../kube/client.ts';
import { loadConnectionConfig } from '../../../../kube/config.ts';
import { type Logger, silentLogger } from '../../../../kube/log.ts';
import type { KubeObject } from '../../../../kube/objects.ts';
import { type Controller, createController } from '../../../../operator/reconcile/controller.ts';
import type { createProviders } from '../../../../providers/registry.ts';
import type { ControlPlane } from '../../../controlplane/control-plane.ts';

/** An event as it was emitted, before the recorder writes it. */
export interface EmittedEvent {
  regarding: string;
  type: string;
  reason: string;
  note: string;
}

export interface TestOperator {
  controller: Controller;
  events: EmittedEvent[];
  /** `METHOD path` of each write since the start, or since `writes.length = 0`. */
  writes: string[];
  /** Key of each Service that was worked on, as often as it was. */
  reconciles: string[];
  stop(): Promise<void>;
}

class RecordingClient extends KubeClient {
  readonly writes: string[] = [];

  override async request<T>(...parameters: Parameters<KubeClient['request']>): Promise<T> {
    const [method, path] = parameters;
    if (method !== 'GET') this.writes.push(`${method} ${path}`);
    return await super.request<T>(...parameters);
  }
}

const running = new Set<Controller>();

/**
 * The object as every operator knows it that runs in this process; a watch of one kind may be behind that of another, so that
 * a Service is seen before what was made for it.
 */
export function knownByAll(
  kind: 'providers' | 'addressPools' | 'portPools',
  { metadata: { generation = 0, name } }: KubeObject,
): boolean {
  return [...running].every(({ caches }) => {
    const known: KubeObject | undefined = caches[kind].store.get(name);
    return (known?.metadata.generation ?? -1) >= generation;
  });
}

/** The operator in this process, against a real API server; its agents are Leases in a namespace of its own. */
export async function startTestOperator(
  cluster: ControlPlane,
  options: {
    agentsNamespace?: string;
    log?: Logger;
    providers?: typeof createProviders;
    driftIntervalMs?: number;
    silentAgentMs?: number;
  } = {},
): Promise<TestOperator> {
  const client = new RecordingClient(await loadConnectionConfig({ kubeconfig: cluster.kubeconfig }));
  const events: EmittedEvent[] = [];
  const reconciles: string[] = [];
  const controller = createController({
    client,
    config: {
      namespace: options.agentsNamespace ?? `no-agents-${randomBytes(4).toString('hex')}`,
      clusterId: 'test',
      nodePortRange: { first: 30000, last: 32767 },
      concurrency: 16,
      agentsIntervalMs: 200,
      driftIntervalMs: options.driftIntervalMs,
      silentAgentMs: options.silentAgentMs,
    },
    log: options.log ?? silentLogger,
    providers: options.providers,
    observer: { finished: (key) => void reconciles.push(key) },
    events: {
      emit: (regarding: KubeObject, type, reason, note) => {
        const { namespace, name } = regarding.metadata;
        events.push({ regarding: `${namespace}/${name}`, type, reason, note });
      },
    },
  });
  await controller.start();
  running.add(controller);
  return {
    controller,
    events,
    writes: client.writes,
    reconciles,
    async stop() {
      running.delete(controller);
      await controller.stop();
      await client.close();
    },
  };
}
