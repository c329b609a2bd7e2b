import type { Outcome } from '../../support/station-protocol.ts';
import type { Expectation } from './case.ts';
import type { Family, Place } from './places.ts';

/** What came of dials: how they ended, and the packets that came back if those were watched. */
export interface Evidence {
  outcomes: readonly Outcome[];
  /** Incoming packets from or about the address, as watch-packets.pl says them. */
  replies?: readonly string[];
}

/** What is wrong, or undefined. `caller`: the address that was dialled from. */
export function judge(
  expectation: Expectation,
  { outcomes, replies = [] }: Evidence,
  caller: string,
  family: Family,
): string | undefined {
  const said = () => describe(outcomes);
  switch (expectation.result) {
    case 'served':
      return judgeServed(expectation, outcomes, caller, family);
    case 'refused': {
      if (outcomes.some(({ result }) => result !== 'refused')) return `expected to be refused, was ${said()}`;
      const { by } = expectation;
      if (by === undefined) return undefined;
      const wanted = by === 'icmp' ? isPortUnreachable : isReset;
      const strange = replies.filter((packet) => !wanted(packet));
      if (replies.length > 0 && strange.length === 0) return undefined;
      return `expected a refusal by ${by}, saw ${replies.join(', ') || 'no packet'}`;
    }
    case 'dropped':
      if (outcomes.some(({ result }) => result !== 'timeout')) return `expected silence, was ${said()}`;
      return replies.length === 0 ? undefined : `expected no packet back, saw ${replies.join(', ')}`;
    case 'notServed':
      return outcomes.some(({ result }) => result === 'served')
        ? `expected nobody, was ${said()}`
        : undefined;
  }
}

function judgeServed(
  { by, as, share, port }: Extract<Expectation, { result: 'served' }>,
  outcomes: readonly Outcome[],
  caller: string,
  family: Family,
): string | undefined {
  const counts = new Map<string, number>(by.map(({ name }) => [name, 0]));
  for (const outcome of outcomes) {
    const count = outcome.result === 'served' ? counts.get(outcome.by) : undefined;
    if (outcome.result !== 'served' || count === undefined) {
      return `expected to be served by ${by.map(({ name }) => name).join(' and ')}, was ${describe(outcomes)}`;
    }
    counts.set(outcome.by, count + 1);
    const seen = as === undefined ? undefined : seenWrongly(outcome, as, by, caller, family);
    if (seen !== undefined) return seen;
    if (port !== undefined && outcome.at !== port) return `expected port ${port}, reached ${outcome.at}`;
  }
  for (const [name, count] of counts) {
    if (count === 0) return `${name} never served, but ${describe(outcomes)}`;
    const part = count / outcomes.length;
    if (share !== undefined && (part < share[0] || part > share[1])) return `${name} served ${part}`;
  }
  return undefined;
}

function seenWrongly(
  { by, from }: Extract<Outcome, { result: 'served' }>,
  as: 'itself' | Place,
  servers: readonly Place[],
  caller: string,
  family: Family,
): string | undefined {
  if (as === 'itself')
    return from === caller ? undefined : `${by} saw ${from}, expected the caller, ${caller}`;
  const server = servers.find(({ name }) => name === by);
  // Its own pods and processes see whatever address the node has on their side.
  const isOwn = (server?.node ?? server)?.name === as.name;
  const allowed = [as, ...(isOwn ? (as.others ?? []).map((addresses) => ({ addresses })) : [])].map(
    ({ addresses }) => addresses[family],
  );
  return allowed.includes(from)
    ? undefined
    : `${by} saw ${from}, expected ${as.name}: ${allowed.join(' or ')}`;
}

/** Outcomes with how often each was. */
export function describe(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const text =
      outcome.result === 'served'
        ? `served by ${outcome.by} (which saw ${outcome.from})`
        : outcome.result === 'failed'
          ? `failed: ${outcome.code}`
          : outcome.result;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return Array.from(counts, ([text, count]) => `${count} x ${text}`).join(', ');
}

/** ICMP 3/3, or ICMPv6 1/4. */
function isPortUnreachable(packet: string): boolean {
  return /icmp (3 3|1 4)( about \w+)?$/.test(packet);
}

function isReset(packet: string): boolean {
  return /tcp A?.*R/.test(packet);
}
