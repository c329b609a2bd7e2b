import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/log.ts';
import { type Announcer, startAnnouncer } from './announce/announcer.ts';
import type { AgentConfig } from './config.ts';
import { findReadyNodes, isForLocalService } from './find-ready-nodes.ts';
import type { AgentInformers } from './informers.ts';

export interface AnnounceParts {
  config: AgentConfig;
  client: KubeClient;
  informers: AgentInformers;
  /** Addresses that this node answers for changed. */
  onChange: (announcer: Announcer) => void;
  log: Logger;
}

/** Announces addresses from now on. Undefined: this node can't; it still forwards what others announce. */
export async function announceAddresses(parts: AnnounceParts): Promise<Announcer | undefined> {
  const { config, client, log } = parts;
  const { nodes, slices, loadBalancers } = parts.informers;
  try {
    const announcer = await startAnnouncer({
      client,
      nodeName: config.nodeName,
      loadBalancers: loadBalancers.store,
      node: () => nodes.store.get(config.nodeName),
      readyNodes: (key) => findReadyNodes(slices.store, key),
      leaseNamespace: config.namespace,
      log,
    });
    announcer.onChange(() => parts.onChange(announcer));
    nodes.store.onChange(() => announcer.reconsider());
    slices.store.onChange(({ object }) => {
      if (isForLocalService(object, loadBalancers.store)) announcer.reconsider();
    });
    return announcer;
  } catch (error) {
    log.error('AnnouncerFailed', { error });
    return undefined;
  }
}
