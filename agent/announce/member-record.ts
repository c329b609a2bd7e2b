import type { IpFamily, Lease, OwnerReference } from '../../kube/objects.ts';
import type { NodeInterface } from './choose-interface.ts';
import type { Candidate } from './choose-owner.ts';

/** Carries what a node tells the others beside its renewal, as JSON. */
export const RECORD_ANNOTATION = 'fairlead.dev/announce';
/** On the Leases of nodes that may own addresses; only these are watched. */
export const MEMBER_LABEL = 'fairlead.dev/announces';
export const MEMBER_SELECTOR = `${MEMBER_LABEL}=true`;
export const LEASE_PREFIX = 'fairlead-agent-';

/** Where a node can be asked directly, and the key that proves it was asked by one who may read Leases. */
export interface PeerContact {
  addresses: string[];
  port: number;
  key: string;
}

/** What a node says in its Lease. */
export interface MemberRecord extends Candidate {
  /** One life of one agent process. */
  session: string;
  /** Counts the writes of a session. */
  seq: number;
  /** Addresses that it answers for, or waits for. */
  claims: ReadonlySet<string>;
  /** Nodes that it takes for dead, each with the renewal (see `renewalOf`) that it saw last of it. */
  dead: ReadonlyMap<string, string>;
  peer: PeerContact | undefined;
}

export interface LeaseDetails {
  namespace: string;
  leaseSeconds: number;
  /** For people, and for those that judge by it: MicroTime. */
  renewTime: string;
  /** Whether this node may own addresses. */
  member: boolean;
  /** The Node, so that the Lease goes with it. */
  owner?: OwnerReference | undefined;
}

/** Names one write of a member's Lease. Nobody reads the clocks of others. */
export function renewalOf(record: Pick<MemberRecord, 'session' | 'seq'>): string {
  return `${record.session}.${record.seq}`;
}

/** The Lease that says all this; also right as a merge patch. */
export function renderLease(record: MemberRecord, details: LeaseDetails): Lease {
  const body = {
    session: record.session,
    seq: record.seq,
    claims: [...record.claims].sort(),
    dead: Object.fromEntries(record.dead),
    labels: record.labels,
    interfaces: record.interfaces,
    ...(record.peer === undefined ? {} : { peer: record.peer }),
  };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: `${LEASE_PREFIX}${record.node}`,
      namespace: details.namespace,
      labels: { 'fairlead.dev/component': 'agent', [MEMBER_LABEL]: String(details.member) },
      annotations: { [RECORD_ANNOTATION]: JSON.stringify(body) },
      ...(details.owner === undefined ? {} : { ownerReferences: [details.owner] }),
    },
    spec: {
      holderIdentity: record.node,
      leaseDurationSeconds: details.leaseSeconds,
      renewTime: details.renewTime,
    },
  };
}

/** What a Lease says; undefined when it isn't one of ours or can't be understood. */
export function parseLease(lease: Lease): MemberRecord | undefined {
  const node = lease.spec?.holderIdentity;
  const text = lease.metadata.annotations?.[RECORD_ANNOTATION];
  if (!node || text === undefined || lease.metadata.name !== LEASE_PREFIX + node) return undefined;
  const body = parseObject(text);
  if (body === undefined) return undefined;
  return {
    node,
    session: typeof body.session === 'string' ? body.session : '',
    seq: typeof body.seq === 'number' ? body.seq : 0,
    claims: new Set(strings(body.claims)),
    dead: new Map(Object.entries(stringRecord(body.dead))),
    labels: stringRecord(body.labels),
    interfaces: Array.isArray(body.interfaces) ? body.interfaces.flatMap(parseInterface) : [],
    peer: parsePeer(body.peer),
  };
}

function parseInterface(value: unknown): NodeInterface[] {
  if (!isObject(value) || typeof value.name !== 'string') return [];
  const defaultRoute = strings(value.defaultRoute).filter(
    (family): family is IpFamily => family === 'IPv4' || family === 'IPv6',
  );
  return [{ name: value.name, subnets: strings(value.subnets), defaultRoute }];
}

function parsePeer(value: unknown): PeerContact | undefined {
  if (!isObject(value) || typeof value.key !== 'string' || typeof value.port !== 'number') return undefined;
  return { addresses: strings(value.addresses), port: value.port, key: value.key };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function stringRecord(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
