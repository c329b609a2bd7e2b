import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Logger } from '../../kube/log.ts';
import { WorkQueue, type WorkQueueObserver } from '../../kube/workqueue.ts';
import { type CloudCall, createProviders, type ProviderContext } from '../../providers/registry.ts';
import type { PortRange } from '../allocate/port-ranges.ts';
import { Agents } from './agents.ts';
import { Applied } from './applied.ts';
import { type Caches, createCaches } from './caches.ts';
import { Claims } from './claims.ts';
import { CompiledObjects } from './compiled-objects.ts';
import type { ReconcileContext } from './context.ts';
import { CountStatusQueue } from './count-status.ts';
import { DriftWatch } from './drift-watch.ts';
import { createEdges } from './edge-entries.ts';
import { EventTeller } from './event-teller.ts';
import { ProviderGreeter } from './greet-providers.ts';
import { LiveLeases } from './live-leases.ts';
import { LoadBalancerStatusQueue } from './load-balancer-status.ts';
import { measureProvider, type ProviderObserver } from './measure-provider.ts';
import { inOrderOfClaims } from './order-of-claims.ts';
import { Orphans } from './orphans.ts';
import { QuietTime } from './quiet-time.ts';
import { readConfigMap, readSecret } from './read-secret.ts';
import { recoverClaims } from './recover-claims.ts';
import { Reminders } from './reminders.ts';
import { ServiceReconciler } from './service.ts';
import { SilentAgents } from './silent-agents.ts';
import { TakenPorts } from './taken-ports.ts';
import { Triggers } from './triggers.ts';

/** Turns wait for clouds: so many namespaces may have their full share of them before others have to wait. */
const NAMESPACES_AT_ONCE = 8;

export interface ControllerOptions {
  client: KubeClient;
  config: ControllerConfig;
  log: Logger;
  events: Pick<EventRecorder, 'emit'>;
  /** What implements each type of provider. @default all of providers/registry.ts */
  providers?: typeof createProviders | undefined;
  /** Told of each Service that is worked on, for metrics. */
  observer?: WorkQueueObserver | undefined;
  /** Told of each call of a provider, for metrics. */
  providerObserver?: ProviderObserver | undefined;
  /** Told of each call of a cloud's API, for metrics. */
  cloudCallObserver?: ((call: CloudCall) => void) | undefined;
}

export interface ControllerConfig {
  /** Namespace of Fairlead, where the agents' Leases are. */
  namespace: string;
  /** In every name and tag at providers. */
  clusterId: string;
  nodePortRange: PortRange;
  /** Services of one namespace reconciled at once. */
  concurrency: number;
  /** How often the Leases of agents and edges are looked at. @default 3000 */
  agentsIntervalMs?: number | undefined;
  /** After how long without a renewed Lease an agent is told to be silent. @default 40000 */
  silentAgentMs?: number | undefined;
  /** How often drift is looked for. @default as each provider says */
  driftIntervalMs?: number | undefined;
}

export interface Controller {
  /** Resolves once everything is listed and every claim is taken in; only then is anything handed out. */
  start(): Promise<void>;
  /** Finishes what runs. */
  stop(): Promise<void>;
  readonly hasSynced: boolean;
  /** Services that wait or are worked on. */
  readonly depth: number;
  readonly caches: Caches;
  readonly claims: Claims;
}

/** Everything of the operator between the API server's watch and its writes. Made anew for each leadership. */
export function createController(options: ControllerOptions): Controller {
  const { client, config, log } = options;
  const caches = createCaches(client, log);
  const queue = new WorkQueue({
    name: 'services',
    concurrency: config.concurrency * NAMESPACES_AT_ONCE,
    groups: { groupOf: namespaceOf, concurrency: config.concurrency },
    log,
    observer: options.observer,
    process: (key, signal) => reconciler.reconcile(key, signal),
  });
  const quiet = new QuietTime();
  const triggers = new Triggers(caches, queue);
  const agents = new Agents({
    client,
    namespace: config.namespace,
    nodes: caches.nodes.store,
    log,
    ...(config.agentsIntervalMs === undefined ? {} : { intervalMs: config.agentsIntervalMs }),
    onChange: () => {
      triggers.wakeAllServed();
      counts.addAll();
    },
  });
  const edges = new LiveLeases({
    client,
    namespace: config.namespace,
    component: 'edge',
    log,
    ...(config.agentsIntervalMs === undefined ? {} : { intervalMs: config.agentsIntervalMs }),
    onChange: () => triggers.wakeAllServed(),
  });
  const outside: ProviderContext = {
    agents,
    edges: createEdges(client, caches.loadBalancers.store, edges),
    readSecret: (name, signal) => readSecret(client, config.namespace, name, signal),
    readConfigMap: (name, signal) => readConfigMap(client, config.namespace, name, signal),
    tellProvider: (name, recovered) => {
      counts.addProvider(name);
      if (recovered) triggers.wakeServedBy(name);
    },
    observeCall: options.cloudCallObserver ?? (() => {}),
  };
  const tellCall = options.providerObserver ?? (() => {});
  const providers = new Map(
    [...(options.providers ?? createProviders)(outside)].map(([type, provider]) => [
      type,
      measureProvider(provider, tellCall),
    ]),
  );
  const { nodePortRange, clusterId } = config;
  const compiled = new CompiledObjects(caches, { nodePortRange, implementations: providers });
  const claims = new Claims(caches, () => triggers.waiting.freed());
  const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const statuses = new LoadBalancerStatusQueue({ client, caches, quiet, now, log, concurrency: 4 });
  const teller = new EventTeller(options.events, quiet);
  const tellEvents: ReconcileContext['tellEvents'] = (regarding, events) =>
    teller.tell({ apiVersion: 'v1', kind: 'Service', ...regarding }, events);
  const reminders = new Reminders(tellEvents);
  const context: ReconcileContext = {
    client,
    log,
    caches,
    claims,
    takenPorts: new TakenPorts(),
    compiled,
    providers,
    applied: new Applied(),
    orphans: new Orphans(),
    agents,
    clusterId,
    nodePortRange,
    driftIntervalMs: config.driftIntervalMs,
    now,
    onPath: (write) => quiet.busyWith(write),
    tellLoadBalancer: (key, status) => statuses.tell(key, status),
    toldLoadBalancer: (key) => statuses.told(key),
    tellEvents,
    reminders,
  };
  const reconciler = new ServiceReconciler(context, triggers.waiting);
  const counts = new CountStatusQueue(context, { quiet, log });
  const drift = new DriftWatch(context, {
    recheck: (key) => queue.add(key),
    tellProvider: (name) => counts.addProvider(name),
    intervalMs: config.driftIntervalMs,
  });
  const greeter = new ProviderGreeter(context);
  const silentAgents = new SilentAgents({
    client,
    forwarders: caches.nodeForwarders.store,
    agents,
    now,
    log,
    graceMs: config.silentAgentMs,
    intervalMs: config.agentsIntervalMs,
  });
  triggers.connect(claims);
  const stopping = Promise.withResolvers<void>();
  let isStopping = false;

  return {
    caches,
    claims,
    get hasSynced() {
      return caches.hasSynced;
    },
    get depth() {
      return queue.depth;
    },
    async start() {
      caches.start();
      await Promise.race([Promise.all([caches.synced, agents.start(), edges.start()]), stopping.promise]);
      if (isStopping) return;
      const recovered = recoverClaims(context);
      log.info('Synced', {
        services: caches.services.store.size,
        loadBalancers: caches.loadBalancers.store.size,
        recovered: recovered.length,
      });
      triggers.open(inOrderOfClaims(caches));
      queue.start();
      statuses.start();
      counts.start();
      reminders.start();
      drift.start();
      greeter.start();
      silentAgents.start();
    },
    async stop() {
      isStopping = true;
      stopping.resolve();
      agents.stop();
      edges.stop();
      await greeter.stop();
      await silentAgents.stop();
      await drift.stop();
      triggers.stop();
      reminders.stop();
      await queue.stop();
      await statuses.stop();
      await counts.stop();
      teller.stop();
      await caches.stop();
    },
  };
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
