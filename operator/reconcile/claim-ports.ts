import type { Frontend } from '../../crds/load-balancer.ts';
import { ClassedError, isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf, SERVICES } from '../../kube/resources.ts';
import type { Finding } from '../../providers/provider.ts';
import { allocatePorts, type GrantedPort, type PortDecision } from '../allocate/allocate-ports.ts';
import type { HeldPort, PortKind } from '../allocate/port-book.ts';
import { buildPortRequest } from '../allocate/port-request.ts';
import type { PortClaim } from '../plan/build-load-balancer.ts';
import { FIELD_MANAGER } from '../plan/names.ts';
import type { Outcome } from '../status/build-conditions.ts';
import { describeRefusal } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';
import { markChosenNodePorts, readChosenNodePorts } from './mark-node-ports.ts';

export interface ClaimedPorts {
  /** As it is after our own write, if there was one. */
  service: Service;
  claims: PortClaim[];
  outcome: Outcome['ports'];
  notes: Finding[];
}

export interface ClaimPortsInput {
  service: Service;
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  /** Of the first LoadBalancer that the Service has: what was claimed before. */
  before: readonly Frontend[] | undefined;
  /** No provider takes it: whatever was reserved would be let go. */
  inVain: boolean;
  /** A provider sends to forwarding ports, or the Service names a pool: without a number it can't be served. */
  required: boolean;
}

/** Collisions with what the API server gave away meanwhile; then the queue's backoff. */
const MOST_ATTEMPTS = 16;

/**
 * Claims the node ports of a Service from PortPools, the API server being the arbiter, or its forwarding ports when it
 * wants no node ports. Without a PortPool that serves it, Kubernetes picks node ports, and nothing is done here.
 */
export async function claimPorts(context: ReconcileContext, input: ClaimPortsInput): Promise<ClaimedPorts> {
  const { service, required } = input;
  const pools = context.compiled.portPools;
  const wantsNodePorts =
    service.spec.type === 'NodePort' || service.spec.allocateLoadBalancerNodePorts !== false;
  if (pools.length === 0 && !required) return unclaimed(service, input.before);
  if (wantsNodePorts) return await claimNodePorts(context, input);
  return input.inVain ? unclaimed(service, input.before) : claimForwardingPorts(context, input);
}

async function claimNodePorts(context: ReconcileContext, input: ClaimPortsInput): Promise<ClaimedPorts> {
  const key = keyOf(input.service);
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const decision = decide(context, input, 'nodePort');
    const { service } = input;
    const changed = decision.ports.filter((granted) => granted.number !== nodePortOf(service, granted));
    if (decision.kind === 'refused' || changed.length === 0)
      return claimed(service, 'nodePort', decision, true);
    context.claims.reservePorts(key, held('nodePort', decision.ports));
    try {
      const written = await context.onPath(() => proposeNodePorts(context, service, changed));
      return claimed(written, 'nodePort', decision, true);
    } catch (error) {
      if (!isClass(error, 'Rejected')) throw error;
      const taken = takenPorts(error, changed);
      if (taken.length === 0) return refusedByServer(service, decision, error);
      context.log.debug('NodePortsTaken', { service: key, taken, attempt });
      context.takenPorts.add(taken);
    } finally {
      context.claims.settlePorts(key);
    }
  }
  throw new ClassedError('the API server gave every node port that was proposed to another Service first', {
    class: 'Transient',
    reason: 'NodePortsContended',
  });
}

/** The numbers are reserved until the LoadBalancer that says them is written; that settles them. */
function claimForwardingPorts(context: ReconcileContext, input: ClaimPortsInput): ClaimedPorts {
  const { service, required } = input;
  const decision = decide(context, input, 'forwardingPort');
  context.claims.reservePorts(keyOf(service), held('forwardingPort', decision.ports));
  return claimed(service, 'forwardingPort', decision, required);
}

function decide(
  context: ReconcileContext,
  { service, namespaceLabels, before }: ClaimPortsInput,
  kind: PortKind,
): PortDecision {
  const request = buildPortRequest(service, {
    kind,
    owner: keyOf(service),
    namespaceLabels,
    before: { frontends: [...(before ?? [])] },
    ...(kind === 'nodePort' ? { excluded: context.takenPorts.current() } : {}),
  });
  const settled =
    kind === 'nodePort' ? settledPorts(service, before, request.pools.length > 0) : new Set<string>();
  const ours = request.ports.filter(({ port, protocol }) => !settled.has(`${port}/${protocol}`));
  return allocatePorts(
    { ...request, ports: ours },
    context.compiled.portPools,
    context.claims.ports,
    context.nodePortRange,
  );
}

/**
 * Node ports that are none of ours to change: those that a person chose, and those that a LoadBalancer has said already,
 * so that a new pool moves nobody; only naming a pool is asking for a move.
 */
function settledPorts(
  service: Service,
  before: readonly Frontend[] | undefined,
  poolNamed: boolean,
): Set<string> {
  const settled = new Set(readChosenNodePorts(service));
  if (poolNamed) return settled;
  for (const { port, protocol, nodePort, portPool } of before ?? []) {
    const inUse = portPool === undefined && nodePort !== undefined;
    if (inUse && nodePort === nodePortOf(service, { port, protocol })) settled.add(`${port}/${protocol}`);
  }
  return settled;
}

/** A JSON patch that holds only for the Service as it was seen: another resourceVersion is a Conflict. */
async function proposeNodePorts(
  { client, caches }: ReconcileContext,
  service: Service,
  changed: readonly GrantedPort[],
): Promise<Service> {
  const { namespace, name, resourceVersion } = service.metadata;
  const patch: object[] = [{ op: 'add', path: '/metadata/resourceVersion', value: resourceVersion }];
  for (const granted of changed) {
    const index = indexOf(service, granted);
    patch.push({ op: 'add', path: `/spec/ports/${index}/nodePort`, value: granted.number });
  }
  const written = await client.patch(SERVICES, namespace, name, patch, {
    contentType: 'json',
    fieldManager: FIELD_MANAGER,
  });
  const kept = markChosenNodePorts(written);
  caches.freshServices.note(kept);
  return kept;
}

/**
 * The numbers that the API server gave to another meanwhile: 422 with `provided port is already allocated`. There is no
 * reason code for it (pkg/registry/core/service/portallocator).
 */
function takenPorts(error: ClassedError, changed: readonly GrantedPort[]): number[] {
  if (!error.message.includes('provided port is already allocated')) return [];
  const numbers = changed.flatMap(({ number }) => number ?? []);
  const named = numbers.filter((number) => error.message.includes(`Invalid value: ${number}:`));
  return named.length > 0 ? named : numbers;
}

function refusedByServer(service: Service, decision: PortDecision, error: ClassedError): ClaimedPorts {
  const finding = {
    reason: REASONS.syncFailed,
    message: `Its node ports can't be set. ${describeRefusal(error)}`,
  };
  return { ...claimed(service, 'nodePort', decision, true), outcome: { needed: true, finding } };
}

function claimed(service: Service, kind: PortKind, decision: PortDecision, required: boolean): ClaimedPorts {
  const claims = decision.ports.map(({ protocol, port, number, pool }): PortClaim => {
    const numbered = number === undefined ? {} : { [kind]: number };
    return { protocol, port, ...numbered, ...(pool === undefined ? {} : { pool }) };
  });
  const fromPool = decision.ports.some(({ pool }) => pool !== undefined);
  if (decision.kind === 'granted' || !required) {
    return { service, claims, outcome: { needed: fromPool }, notes: decision.findings };
  }
  const { reason, message } = decision;
  return {
    service,
    claims,
    outcome: { needed: true, finding: { reason, message } },
    notes: decision.findings,
  };
}

/** No pool serves it any more, or ever did: what was claimed is kept all the same. */
function unclaimed(service: Service, before: readonly Frontend[] | undefined): ClaimedPorts {
  const claims = (before ?? []).flatMap(
    ({ protocol, port, nodePort, forwardingPort, portPool }): PortClaim[] => {
      if (portPool === undefined) return [];
      if (forwardingPort !== undefined) return [{ protocol, port, forwardingPort, pool: portPool }];
      const still = nodePort !== undefined && nodePort === nodePortOf(service, { protocol, port });
      return still ? [{ protocol, port, pool: portPool }] : [];
    },
  );
  return { service, claims, outcome: { needed: false }, notes: [] };
}

function held(kind: PortKind, ports: readonly GrantedPort[]): HeldPort[] {
  return ports.flatMap(({ protocol, number }) => (number === undefined ? [] : [{ kind, protocol, number }]));
}

function nodePortOf(
  service: Service,
  { protocol, port }: Pick<GrantedPort, 'protocol' | 'port'>,
): number | undefined {
  return service.spec.ports?.[indexOf(service, { protocol, port })]?.nodePort || undefined;
}

function indexOf(service: Service, { protocol, port }: Pick<GrantedPort, 'protocol' | 'port'>): number {
  return (service.spec.ports ?? []).findIndex(
    (each) => each.port === port && (each.protocol ?? 'TCP') === protocol,
  );
}
