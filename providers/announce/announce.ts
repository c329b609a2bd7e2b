import type { LabelSelector, LoadBalancerIngress } from '../../kube/objects.ts';
import type { Change, DesiredLoadBalancer, Finding, Provider } from '../provider.ts';
import type { LiveAgents } from './live-agents.ts';
import { validateAnnounce } from './validate-announce.ts';

/** What the agents are to do: answer for these addresses, on these interfaces, on one of these nodes. */
export interface AnnounceModel {
  addresses: string[];
  interfaces: string[];
  nodeSelector: LabelSelector | undefined;
}

/**
 * Nothing outside the cluster: the agents on the nodes read LoadBalancer.spec and answer for its addresses themselves
 * (ARP, neighbour discovery). So there is nothing to apply, and what can be observed is whether an agent is alive that
 * may answer at all.
 */
export function createAnnounceProvider(agents: LiveAgents): Provider<AnnounceModel, undefined> {
  const findNoAgent = (selector: LabelSelector | undefined): Finding | undefined =>
    agents.count(selector) > 0 ? undefined : explainNoAgent(selector);
  return {
    type: 'announce',
    addressesFromPools: true,
    external: false,
    validate: validateAnnounce,
    readiness: ({ announce }) => findNoAgent(announce?.nodeSelector),
    build: buildAnnounceModel,
    observe: async () => undefined,
    diff: (): Change[] => [],
    apply: async () => {},
    status: (model) => {
      const notProgrammed = findNoAgent(model.nodeSelector);
      const ingress = model.addresses.map(toIngress);
      return notProgrammed === undefined ? { ingress } : { ingress, notProgrammed, traffic: 'Stops' };
    },
  };
}

export function buildAnnounceModel({ spec }: DesiredLoadBalancer): AnnounceModel {
  return {
    addresses: (spec.addresses ?? []).map(({ address }) => address),
    interfaces: spec.announce?.interfaces ?? [],
    nodeSelector: spec.announce?.nodeSelector,
  };
}

/** KEP-1860: `VIP`, since packets reach the nodes with the address as their destination. */
function toIngress(ip: string): LoadBalancerIngress {
  return { ip, ipMode: 'VIP' };
}

function explainNoAgent(selector: LabelSelector | undefined): Finding {
  const where =
    selector === undefined ? 'on any node' : "on a node that the provider's announce.nodeSelector chooses";
  return {
    reason: 'NoLiveAgent',
    message: `No fairlead-agent is alive ${where}, so nobody answers for the address: see to the DaemonSet fairlead-agent.`,
  };
}
