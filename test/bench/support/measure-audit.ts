import { setTimeout as sleep } from 'node:timers/promises';
import { Forwarding } from '../../../agent/forwarding.ts';
import type { Nft } from '../../../agent/nftables/run-nft.ts';
import type { ServiceObserver } from '../../../agent/service-observer.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { buildService, buildSlice, clusterIpAt } from '../../net/robustness/support/synthetic-cluster.ts';

export interface AuditFigures {
  /** From the deletion of an element of the largest map until all is written anew; Infinity: never. */
  backMs: number;
  /** Of each change before the repair, from the store to the kernel, ms: what looks hold up, and not what a repair does. */
  waits: number[];
}

export interface AuditLoad {
  services: number;
  /** Of each Service. */
  endpoints: number;
  /** Changes a second. */
  perSecond: number;
  auditMs: number;
  nft: Nft;
}

/** When changes are told, taken for a transaction, and in the kernel. */
class ChangeTimes implements ServiceObserver {
  /** `performance.now()` when a change was in the kernel, and since when it had been told. */
  readonly ends: { told: number; applied: number }[] = [];
  #told: number[] = [];
  #compiled: number[] = [];
  #taken: number[] = [];

  tell(): void {
    this.#told.push(performance.now());
  }

  compiled(): void {
    this.#compiled.push(...this.#told.splice(0));
  }

  taken(): void {
    this.#taken.push(...this.#compiled.splice(0));
  }

  takenApplied(): void {
    const applied = performance.now();
    this.ends.push(...this.#taken.splice(0).map((told) => ({ told, applied })));
  }

  applied(): void {}
}

/** Serves Services, deletes one element by hand after the audit has looked at everything, and waits until it is back. */
export async function measureAudit(load: AuditLoad): Promise<AuditFigures> {
  const { services, endpoints, perSecond, auditMs, nft } = load;
  const stores = {
    services: new Store<Service>(),
    slices: new Store<EndpointSlice>(),
    loadBalancers: new Store<LoadBalancer>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCIDR>(),
  };
  const times = new ChangeTimes();
  let repair = { beganAt: 0, endedAt: 0 };
  const forwarding = new Forwarding({
    nodeName: 'bench',
    stores,
    clusterCidrs: [],
    nodePortAddresses: 'primary',
    markBit: 0x2000,
    auditMs,
    log: silentLogger,
    nft,
    observers: [times],
    onCommit: ({ extent, tookMs }) => {
      const endedAt = performance.now();
      if (extent === 'reset') repair = { beganAt: endedAt - tookMs, endedAt };
    },
  });
  const indexes = Array.from({ length: services }, (_, index) => index);
  stores.services.replace(indexes.map((index) => buildService(index)));
  stores.slices.replace(indexes.map((index) => buildSlice(index, addressesOf(index, endpoints))));
  stores.nodes.replace([{ metadata: { name: 'bench' } }]);
  stores.serviceCidrs.replace([]);
  await forwarding.start();
  let changes = 0;
  const change = () => {
    // Never the first, whose element is deleted.
    const index = 1 + (changes++ % (services - 1));
    times.tell();
    stores.slices.upsert(buildSlice(index, addressesOf(services + changes, endpoints)));
  };
  const timer = perSecond === 0 ? undefined : setInterval(change, 1000 / perSecond);
  await sleep(auditMs * 1.5);
  const deletedAt = performance.now();
  const key = `${clusterIpAt(0)} . tcp . 80 . 0`;
  await nft({ args: ['-f', '-'], input: `delete element ip fairlead service-endpoints { ${key} }\n` });
  const deadline = deletedAt + 20 * auditMs + 300_000;
  while (repair.endedAt < deletedAt && performance.now() < deadline) await sleep(20);
  clearInterval(timer);
  await forwarding.stop();
  const beforeRepair = times.ends.filter(({ applied }) => applied < repair.beganAt);
  return {
    backMs: repair.endedAt < deletedAt ? Number.POSITIVE_INFINITY : repair.endedAt - deletedAt,
    waits: beforeRepair.map(({ told, applied }) => applied - told),
  };
}

/** 10.128.0.0 and up. */
function addressesOf(index: number, endpoints: number): string[] {
  return Array.from({ length: endpoints }, (_, slot) => {
    const number = (index * endpoints + slot) % 2 ** 22;
    return `10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  });
}
