import type { ProviderType } from '../../crds/common.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/log.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Provider } from '../../providers/provider.ts';
import type { PortRange } from '../allocate/port-ranges.ts';
import type { PlannedEvent } from '../status/build-events.ts';
import type { WantedStatus } from '../status/load-balancer-status.ts';
import type { Agents } from './agents.ts';
import type { Applied } from './applied.ts';
import type { Caches } from './caches.ts';
import type { Claims } from './claims.ts';
import type { CompiledObjects } from './compiled-objects.ts';
import type { Orphans } from './orphans.ts';
import type { Reminders } from './reminders.ts';
import type { TakenPorts } from './taken-ports.ts';

/** What every step of reconciling is given. */
export interface ReconcileContext {
  client: KubeClient;
  log: Logger;
  caches: Caches;
  claims: Claims;
  takenPorts: TakenPorts;
  compiled: CompiledObjects;
  providers: ReadonlyMap<ProviderType, Provider>;
  applied: Applied;
  orphans: Orphans;
  agents: Pick<Agents, 'isLive'>;
  /** In every name and tag at providers. */
  clusterId: string;
  nodePortRange: PortRange;
  /** How often drift is looked for. @default as each provider says */
  driftIntervalMs?: number | undefined;
  /** RFC 3339. */
  now: () => string;
  /** Runs a write that somebody waits for: what nobody waits for is held back meanwhile. */
  onPath: <T>(write: () => Promise<T>) => Promise<T>;
  /** Both are written when there is time, off the path to the address. */
  tellLoadBalancer: (key: string, status: WantedStatus) => void;
  /** What was told and isn't written yet. */
  toldLoadBalancer: (key: string) => WantedStatus | undefined;
  tellEvents: (regarding: KubeObject, events: readonly PlannedEvent[]) => void;
  /** What still holds is told again after a while. */
  reminders: Pick<Reminders, 'hold' | 'forget'>;
}
